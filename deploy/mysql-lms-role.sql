-- The login with which lms_bot reads the classic LMS in MySQL or MariaDB: these columns, and nothing else.
-- Run it in the database of the LMS, as an administrator of the server: it makes the login and prints its grants, which the
-- second client executes. Then give the login a password:
--
--     mysql -N lms < deploy/mysql-lms-role.sql | mysql lms
--     mysql -e "ALTER USER lms_bot_reader@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK"
--
-- It may be run again, and must be after the LMS has got one of the tables or columns at the end. `lms-bot doctor` says what
-- is missing.
-- For tables with another prefix, add --init-command="SET @prefix = 'm_'" to the first client.
-- Instead of % you may write the address of the bot's machine, everywhere in this file.

SET NAMES utf8mb4;
SET @prefix = coalesce(@prefix, '');

CREATE USER IF NOT EXISTS lms_bot_reader@'%' ACCOUNT LOCK;

-- A second lock beside those that the bot sets itself; for the time of a statement only MariaDB has one, in seconds.
ALTER USER lms_bot_reader@'%' WITH MAX_USER_CONNECTIONS 20 /*M!100101 MAX_STATEMENT_TIME 30 */;

SELECT concat('GRANT SELECT (', list, ') ON `', @prefix, name, '` TO lms_bot_reader@''%'';')
FROM (
    -- What students did.
    SELECT 'attempts' AS name, 'id, user_id, username, exam_id, state, result, date, last_started_time, '
        'last_answer_updated_time, score, percentage, time_taken, correct_answers_count, incorrect_answers_count, '
        'unanswered_count, percentile, speed' AS list
    UNION ALL SELECT 'content_attempts', 'id, user_id, course_id, chapter_id, chapter_content_id, content_type, '
        'state, assessment_id, correct_answers_count, incorrect_answers_count, created, completed_on'
    -- Of people, only what is told of them and what finds them in Zulip.
    UNION ALL SELECT 'students', 'id, username, email, first_name, last_name, display_name, is_active'
    UNION ALL SELECT 'mentors', 'id, username, email, first_name, last_name, display_name'
    UNION ALL SELECT '_MentorToStudent', 'A, B'
    -- Titles.
    UNION ALL SELECT 'exams', 'id, title'
    UNION ALL SELECT 'courses', 'id, title'
    UNION ALL SELECT 'chapters', 'id, name'
    UNION ALL SELECT 'ChapterContent', 'id, title, course_id, examId'
) AS needed;

-- Videos and certificates; on which days the LMS saw a student, for streaks of presence; since when students are enrolled and
-- how long exams take, for alerts about who never started and what was abandoned. Where the LMS does not say so, the bot does
-- without.
SELECT concat('GRANT SELECT (', group_concat(column_name), ') ON `', table_name, '` TO lms_bot_reader@''%'';')
FROM (
    SELECT 'user_videos' AS name, 'id, user_id, video_id, created, watched_percentage' AS list
    UNION ALL SELECT 'certifications', 'id, user_id, course_id, issued_at'
    UNION ALL SELECT 'videos', 'id, title, course_title, chapter_name'
    UNION ALL SELECT 'students', 'created, last_active_date'
    UNION ALL SELECT 'mentors', 'supervisor_id, supervisor_email, students_count'
    UNION ALL SELECT 'exams', 'duration, end_date'
    -- What they study.
    UNION ALL SELECT 'batches', 'id, name'
    UNION ALL SELECT '_BatchToStudent', 'A, B'
    UNION ALL SELECT '_CourseBatch', 'A, B'
    UNION ALL SELECT 'ChapterContent', 'videoId, end'
    UNION ALL SELECT 'subject_stats', 'id, subject_name, correct_answers_count, incorrect_answers_count, '
        'unanswered_count, total_count, is_leaf, attempt_id'
    UNION ALL SELECT 'difficulty_level_stats', 'id, difficulty_level, correct_answers_count, '
        'incorrect_answers_count, unanswered_count, total_count, attempt_id'
    UNION ALL SELECT 'student_activities', 'id, student_id, current_streak, highest_streak, total_videos_watched, '
        'total_exams_taken, total_attachments_downloaded, total_video_conferences, fetch_date'
    UNION ALL SELECT 'student_activity_dates', 'id, student_id, activity_date'
) AS wanted
JOIN information_schema.columns AS c
    ON table_schema = DATABASE() AND table_name = concat(@prefix, name) AND find_in_set(column_name, replace(list, ' ', ''))
GROUP BY table_name;
