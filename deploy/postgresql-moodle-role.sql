-- The login with which lms_bot reads Moodle: these tables and columns, and nothing else.
-- Run it in the database of the LMS, as the owner of its tables or a superuser:
--
--     psql -v ON_ERROR_STOP=1 -d lms -f deploy/postgresql-moodle-role.sql
--     psql -d lms -c '\password lms_bot_reader'
--
-- It may be run again, and must be after the LMS has got or replaced one of these tables. `lms-bot doctor` says what is
-- missing.
-- For tables with another prefix, add -v prefix=m_ to the first command.

\if :{?prefix}
\else
    \set prefix mdl_
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
FROM unnest(ARRAY[
    'quiz_attempts', 'assign_submission', 'assign_grades',
    'course_modules_viewed', 'course_modules_completion', 'course_completions'
]) AS name
\gexec

-- What there is to do, and who is who: of users no password, telephone number or place, of enrolments no key.
SELECT format('GRANT SELECT (%s) ON %I TO lms_bot_reader', list, :'prefix' || name)
FROM (VALUES
    ('quiz', 'id, course, name, sumgrades, grade, timelimit, timeclose'),
    ('assign', 'id, course, name, grade, duedate, teamsubmission'),
    ('grade_items', 'itemtype, itemmodule, iteminstance, itemnumber, gradepass, grademin'),
    ('course_modules', 'id, course, module, instance, section, visible'),
    ('modules', 'id, name'),
    ('course', 'id, fullname, visible'),
    ('course_sections', 'id, name, section, visible'),
    ('user', 'id, username, email, firstname, lastname, deleted, suspended, lastaccess'),
    ('user_lastaccess', 'userid, timeaccess'),
    ('user_enrolments', 'enrolid, userid, status, timestart, timeend, timecreated'),
    ('enrol', 'id, courseid, status'),
    ('role', 'id, archetype'),
    ('role_assignments', 'roleid, contextid, userid'),
    ('context', 'id, contextlevel, instanceid, path'),
    ('groups', 'id, courseid'),
    ('groups_members', 'groupid, userid')
) AS needed (name, list)
\gexec

-- Badges, which activities are tracked, and the names of activities of every kind that is installed.
SELECT format('GRANT SELECT ON %I TO lms_bot_reader', :'prefix' || 'badge_issued')
WHERE to_regclass(quote_ident(:'prefix' || 'badge_issued')) IS NOT NULL
\gexec

SELECT format('GRANT SELECT (%s) ON %s TO lms_bot_reader', string_agg(quote_ident(attname), ', '), attrelid::regclass)
FROM (
    VALUES ('badge', 'id, name, courseid'), ('course_modules', 'completion')
    UNION ALL SELECT kind, 'id, name' FROM unnest(ARRAY[
        'page', 'url', 'resource', 'scorm', 'h5pactivity', 'book', 'folder', 'forum', 'feedback', 'choice',
        'glossary', 'wiki', 'workshop', 'data', 'survey', 'lti', 'imscp', 'chat', 'lesson', 'label',
        'bigbluebuttonbn'
    ]) AS kind
) AS wanted (name, list)
JOIN pg_attribute ON attrelid = to_regclass(quote_ident(:'prefix' || name)) AND attname = ANY (string_to_array(list, ', '))
GROUP BY attrelid
\gexec
