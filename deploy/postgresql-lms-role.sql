-- The login with which lms_bot reads the LMS: these tables and columns, and nothing else.
-- Run it in the database of the LMS, as the owner of its tables or a superuser:
--
--     psql -v ON_ERROR_STOP=1 -d lms -f deploy/postgresql-lms-role.sql
--     psql -d lms -c '\password lms_bot_reader'
--
-- It may be run again, and must be after the LMS has replaced one of these tables. `lms-bot doctor` says what is missing.

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

-- Whole, so that the transaction ids of rows may be read too: they say which rows are new.
GRANT SELECT ON attempts, content_attempts TO lms_bot_reader;

-- Of people, only what is told of them and what finds them in Zulip.
GRANT SELECT (id, username, email, first_name, last_name, display_name, is_active) ON students TO lms_bot_reader;
GRANT SELECT (id, username, email, first_name, last_name, display_name) ON mentors TO lms_bot_reader;
GRANT SELECT ("A", "B") ON "_MentorToStudent" TO lms_bot_reader;

-- Titles.
GRANT SELECT (id, title) ON exams, courses TO lms_bot_reader;
GRANT SELECT (id, name) ON chapters TO lms_bot_reader;
GRANT SELECT (id, title, course_id, "examId") ON "ChapterContent" TO lms_bot_reader;

-- On which days the LMS saw a student, for streaks of presence; since when students are enrolled and how long exams take, for
-- alerts about who never started and what was abandoned. Where the LMS does not say so, the bot does without.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('students') AND attname = 'created') THEN
        GRANT SELECT (created) ON students TO lms_bot_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('exams') AND attname = 'duration') THEN
        GRANT SELECT (duration) ON exams TO lms_bot_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('students') AND attname = 'last_active_date') THEN
        GRANT SELECT (last_active_date) ON students TO lms_bot_reader;
    END IF;
    IF to_regclass('student_activity_dates') IS NOT NULL THEN
        GRANT SELECT (id, student_id, activity_date) ON student_activity_dates TO lms_bot_reader;
    END IF;
END
$$;
