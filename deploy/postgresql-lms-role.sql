-- The login with which lms_bot reads the classic LMS: these tables and columns, and nothing else.
-- Run it in the database of the LMS, as the owner of its tables or a superuser:
--
--     psql -v ON_ERROR_STOP=1 -d lms -f deploy/postgresql-lms-role.sql
--     psql -d lms -c '\password lms_bot_reader'
--
-- It may be run again, and must be after the LMS has got or replaced one of these tables. `lms-bot doctor` says what is
-- missing.
-- For tables with another prefix, add -v prefix=m_ to the first command.

\if :{?prefix}
\else
    \set prefix ''
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
FROM unnest(ARRAY['attempts', 'content_attempts']) AS name
\gexec

-- Of people, only what is told of them and what finds them in Zulip; and titles.
SELECT format('GRANT SELECT (%s) ON %I TO lms_bot_reader', list, :'prefix' || name)
FROM (VALUES
    ('students', 'id, username, email, first_name, last_name, display_name, is_active'),
    ('mentors', 'id, username, email, first_name, last_name, display_name'),
    ('_MentorToStudent', '"A", "B"'),
    ('exams', 'id, title'),
    ('courses', 'id, title'),
    ('chapters', 'id, name'),
    ('ChapterContent', 'id, title, course_id, "examId"')
) AS needed (name, list)
\gexec

-- Videos and certificates; on which days the LMS saw a student, for streaks of presence; since when students are enrolled and
-- how long exams take, for alerts about who never started and what was abandoned; batches, courses, results by subject and
-- the LMS's own counts, and who supervises mentors. Where the LMS does not say so, the bot does without.
SELECT format('GRANT SELECT ON %I TO lms_bot_reader', :'prefix' || name)
FROM unnest(ARRAY[
    'user_videos', 'certifications', 'subject_stats', 'difficulty_level_stats', 'student_activities'
]) AS name
WHERE to_regclass(quote_ident(:'prefix' || name)) IS NOT NULL
\gexec

SELECT format('GRANT SELECT (%s) ON %s TO lms_bot_reader', string_agg(quote_ident(attname), ', '), attrelid::regclass)
FROM (VALUES
    ('students', 'created, last_active_date'),
    ('mentors', 'supervisor_id, supervisor_email, students_count'),
    ('exams', 'duration, end_date'),
    ('batches', 'id, name'),
    ('_BatchToStudent', 'A, B'),
    ('_CourseBatch', 'A, B'),
    ('ChapterContent', 'videoId, end'),
    ('student_activity_dates', 'id, student_id, activity_date'),
    ('videos', 'id, title, course_title, chapter_name')
) AS wanted (name, list)
JOIN pg_attribute ON attrelid = to_regclass(quote_ident(:'prefix' || name)) AND attname = ANY (string_to_array(list, ', '))
GROUP BY attrelid
\gexec
