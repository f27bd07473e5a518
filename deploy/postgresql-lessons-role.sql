-- The login with which lms_bot reads the lessons LMS: these tables and columns, and nothing else.
-- Run it in the database of the LMS, as the owner of its tables or a superuser:
--
--     psql -v ON_ERROR_STOP=1 -d lms -f deploy/postgresql-lessons-role.sql
--     psql -d lms -c '\password lms_bot_reader'
--
-- It may be run again, and must be after the LMS has got or replaced one of these tables. `lms-bot doctor` says what is
-- missing.
-- For tables with another prefix, add -v prefix=m_ to the first command.

\if :{?prefix}
\else
    \set prefix myApp_
\endif

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lms_bot_reader') THEN
        CREATE ROLE lms_bot_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO lms_bot_reader', current_database());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO lms_bot_reader', current_schema());
END
$$;

-- A second lock on a door that the bot keeps closed itself: it opens every transaction read-only.
ALTER ROLE lms_bot_reader SET default_transaction_read_only = on;
ALTER ROLE lms_bot_reader SET statement_timeout = '30s';
ALTER ROLE lms_bot_reader SET lock_timeout = '5s';
ALTER ROLE lms_bot_reader SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE lms_bot_reader CONNECTION LIMIT 20;

-- What students did: whole, so that the transaction ids of rows may be read too, which say which rows are new.
SELECT format('GRANT SELECT ON %I TO lms_bot_reader', :'prefix' || name)
FROM unnest(ARRAY['userprogress', 'examattempt', 'lessonquizattempt', 'certification']) AS name
\gexec

-- Titles; and of people, only what is told of them and what finds them in Zulip.
SELECT format('GRANT SELECT (%s) ON %I TO lms_bot_reader', list, :'prefix' || name)
FROM (VALUES
    ('course', 'id, name'),
    ('lesson', 'id, course_id, title'),
    ('exam', 'id, course_id, title'),
    ('lessonquiz', 'id, lesson_id, title, is_required')
) AS needed (name, list)
\gexec

GRANT SELECT (id, username, email, first_name, last_name, is_staff, is_superuser, is_active, last_login)
    ON auth_user TO lms_bot_reader;

-- Since when students are enrolled, for alerts about who never started, and on which days the LMS saw them, for streaks of
-- presence. Where the LMS does not say so, the bot does without.
SELECT format('GRANT SELECT (%s) ON %s TO lms_bot_reader', string_agg(quote_ident(attname), ', '), attrelid::regclass)
FROM (VALUES
    (:'prefix' || 'courseenrollment', 'user_id, course_id, enrolled_at'),
    ('core_dailyactivity', 'id, user_id, date, status')
) AS wanted (name, list)
JOIN pg_attribute ON attrelid = to_regclass(quote_ident(name)) AND attname = ANY (string_to_array(list, ', '))
GROUP BY attrelid
\gexec

-- Who mentors whom is in a table of your own, which `lms_mentors` names: grant its two columns likewise, as in
-- GRANT SELECT (mentor_id, student_id) ON mentor_students TO lms_bot_reader;
