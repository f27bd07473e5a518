-- The login with which lms_bot reads an LMS in MySQL or MariaDB: these columns, and nothing else.
-- Run it in the database of the LMS, as an administrator of the server, and then give the login a password:
--
--     mysql lms < deploy/mysql-lms-role.sql
--     mysql -e "ALTER USER lms_bot_reader@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK"
--
-- It may be run again, and must be after the LMS has got one of the columns at the end. `lms-bot doctor` says what is missing.
-- Instead of % you may write the address of the bot's machine, everywhere in this file.

CREATE USER IF NOT EXISTS lms_bot_reader@'%' ACCOUNT LOCK;

-- A second lock beside those that the bot sets itself; for the time of a statement only MariaDB has one, in seconds.
ALTER USER lms_bot_reader@'%' WITH MAX_USER_CONNECTIONS 20 /*M!100101 MAX_STATEMENT_TIME 30 */;

-- What students did.
GRANT SELECT (id, user_id, username, exam_id, state, result, date, last_started_time, last_answer_updated_time, score,
    percentage, time_taken, correct_answers_count, incorrect_answers_count, unanswered_count, percentile, speed)
    ON attempts TO lms_bot_reader@'%';
GRANT SELECT (id, user_id, course_id, chapter_id, chapter_content_id, content_type, state, assessment_id,
    correct_answers_count, incorrect_answers_count, created, completed_on)
    ON content_attempts TO lms_bot_reader@'%';

-- Of people, only what is told of them and what finds them in Zulip.
GRANT SELECT (id, username, email, first_name, last_name, display_name, is_active) ON students TO lms_bot_reader@'%';
GRANT SELECT (id, username, email, first_name, last_name, display_name) ON mentors TO lms_bot_reader@'%';
GRANT SELECT (A, B) ON _MentorToStudent TO lms_bot_reader@'%';

-- Titles.
GRANT SELECT (id, title) ON exams TO lms_bot_reader@'%';
GRANT SELECT (id, title) ON courses TO lms_bot_reader@'%';
GRANT SELECT (id, name) ON chapters TO lms_bot_reader@'%';
GRANT SELECT (id, title, course_id, examId) ON ChapterContent TO lms_bot_reader@'%';

-- On which days the LMS saw a student, for streaks of presence; since when students are enrolled and how long exams take, for
-- alerts about who never started and what was abandoned. Where the LMS does not say so, the bot does without.
SET @known = (
    SELECT concat(',', group_concat(concat(table_name, '.', column_name)), ',')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name IN ('students', 'exams', 'student_activity_dates')
        AND column_name IN ('created', 'duration', 'last_active_date', 'activity_date')
);

SET @statement = if(@known LIKE '%,students.created,%',
    'GRANT SELECT (created) ON students TO lms_bot_reader@''%''', 'DO 0');
PREPARE allow FROM @statement;
EXECUTE allow;

SET @statement = if(@known LIKE '%,exams.duration,%',
    'GRANT SELECT (duration) ON exams TO lms_bot_reader@''%''', 'DO 0');
PREPARE allow FROM @statement;
EXECUTE allow;

SET @statement = if(@known LIKE '%,students.last_active_date,%',
    'GRANT SELECT (last_active_date) ON students TO lms_bot_reader@''%''', 'DO 0');
PREPARE allow FROM @statement;
EXECUTE allow;

SET @statement = if(@known LIKE '%,student_activity_dates.activity_date,%',
    'GRANT SELECT (id, student_id, activity_date) ON student_activity_dates TO lms_bot_reader@''%''', 'DO 0');
PREPARE allow FROM @statement;
EXECUTE allow;
