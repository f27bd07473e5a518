-- The login with which lms_bot reads the lessons LMS in MySQL or MariaDB: these columns, and nothing else.
-- Run it in the database of the LMS, as an administrator of the server: it makes the login and prints its grants, which the
-- second client executes. Then give the login a password:
--
--     mysql -N lms < deploy/mysql-lessons-role.sql | mysql lms
--     mysql -e "ALTER USER lms_bot_reader@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK"
--
-- It may be run again, and must be after the LMS has got one of the tables or columns at the end. `lms-bot doctor` says what
-- is missing.
-- For tables with another prefix, add --init-command="SET @prefix = 'm_'" to the first client.
-- Instead of % you may write the address of the bot's machine, everywhere in this file.

SET NAMES utf8mb4;
SET @prefix = coalesce(@prefix, 'myApp_');

CREATE USER IF NOT EXISTS lms_bot_reader@'%' ACCOUNT LOCK;

-- A second lock beside those that the bot sets itself; for the time of a statement only MariaDB has one, in seconds.
ALTER USER lms_bot_reader@'%' WITH MAX_USER_CONNECTIONS 20 /*M!100101 MAX_STATEMENT_TIME 30 */;

SELECT concat('GRANT SELECT (', list, ') ON `', @prefix, name, '` TO lms_bot_reader@''%'';')
FROM (
    -- What students did.
    SELECT 'userprogress' AS name,
        'id, user_id, lesson_id, status, completed, started_at, completed_at, video_watch_percentage' AS list
    UNION ALL SELECT 'examattempt', 'id, user_id, exam_id, started_at, completed_at, score, passed'
    UNION ALL SELECT 'lessonquizattempt', 'id, user_id, quiz_id, started_at, completed_at, score, passed'
    UNION ALL SELECT 'certification', 'id, user_id, course_id, issued_at'
    -- Titles.
    UNION ALL SELECT 'course', 'id, name'
    UNION ALL SELECT 'lesson', 'id, course_id, title'
    UNION ALL SELECT 'exam', 'id, course_id, title'
    UNION ALL SELECT 'lessonquiz', 'id, lesson_id, title, is_required'
) AS needed;

-- Of people, only what is told of them and what finds them in Zulip.
SELECT 'GRANT SELECT (id, username, email, first_name, last_name, is_staff, is_superuser, is_active, last_login)'
    ' ON auth_user TO lms_bot_reader@''%'';';

-- Since when students are enrolled, for alerts about who never started, and on which days the LMS saw them, for streaks of
-- presence. Where the LMS does not say so, the bot does without.
SELECT concat('GRANT SELECT (', group_concat(column_name), ') ON `', table_name, '` TO lms_bot_reader@''%'';')
FROM (
    SELECT concat(@prefix, 'courseenrollment') AS name, 'user_id, course_id, enrolled_at' AS list
    UNION ALL SELECT 'core_dailyactivity', 'id, user_id, date, status'
) AS wanted
JOIN information_schema.columns AS c
    ON table_schema = DATABASE() AND table_name = name AND find_in_set(column_name, replace(list, ' ', ''))
GROUP BY table_name;

-- Who mentors whom is in a table of your own, which `lms_mentors` names: grant its two columns likewise, as in
-- GRANT SELECT (mentor_id, student_id) ON mentor_students TO lms_bot_reader@'%';
