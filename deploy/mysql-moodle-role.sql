-- The login with which lms_bot reads Moodle in MySQL or MariaDB: these columns, and nothing else.
-- Run it in the database of the LMS, as an administrator of the server: it makes the login and prints its grants, which the
-- second client executes. Then give the login a password:
--
--     mysql -N lms < deploy/mysql-moodle-role.sql | mysql lms
--     mysql -e "ALTER USER lms_bot_reader@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK"
--
-- It may be run again, and must be after the LMS has got one of the tables or columns at the end. `lms-bot doctor` says what
-- is missing.
-- For tables with another prefix, add --init-command="SET @prefix = 'm_'" to the first client.
-- Instead of % you may write the address of the bot's machine, everywhere in this file.

SET NAMES utf8mb4;
SET @prefix = coalesce(@prefix, 'mdl_');

CREATE USER IF NOT EXISTS lms_bot_reader@'%' ACCOUNT LOCK;

-- A second lock beside those that the bot sets itself; for the time of a statement only MariaDB has one, in seconds.
ALTER USER lms_bot_reader@'%' WITH MAX_USER_CONNECTIONS 20 /*M!100101 MAX_STATEMENT_TIME 30 */;

SELECT concat('GRANT SELECT (', list, ') ON `', @prefix, name, '` TO lms_bot_reader@''%'';')
FROM (
    -- What students did.
    SELECT 'quiz_attempts' AS name, 'id, quiz, userid, preview, state, timestart, timefinish, timemodified, sumgrades' AS list
    UNION ALL SELECT 'assign_submission', 'id, assignment, userid, attemptnumber, status, timemodified'
    UNION ALL SELECT 'assign_grades', 'id, assignment, userid, attemptnumber, grade, timemodified'
    UNION ALL SELECT 'course_modules_viewed', 'id, coursemoduleid, userid, timecreated'
    UNION ALL SELECT 'course_modules_completion', 'id, coursemoduleid, userid, completionstate, timemodified'
    UNION ALL SELECT 'course_completions', 'id, userid, course, timecompleted'
    -- What there is to do.
    UNION ALL SELECT 'quiz', 'id, course, name, sumgrades, grade, timelimit, timeclose'
    UNION ALL SELECT 'assign', 'id, course, name, grade, duedate, teamsubmission'
    UNION ALL SELECT 'grade_items', 'itemtype, itemmodule, iteminstance, itemnumber, gradepass, grademin'
    UNION ALL SELECT 'course_modules', 'id, course, module, instance, section, visible'
    UNION ALL SELECT 'modules', 'id, name'
    UNION ALL SELECT 'course', 'id, fullname, visible'
    UNION ALL SELECT 'course_sections', 'id, name, section, visible'
    -- Who is who: of users no password, telephone number or place, of enrolments no key.
    UNION ALL SELECT 'user', 'id, username, email, firstname, lastname, deleted, suspended, lastaccess'
    UNION ALL SELECT 'user_lastaccess', 'userid, timeaccess'
    UNION ALL SELECT 'user_enrolments', 'enrolid, userid, status, timestart, timeend, timecreated'
    UNION ALL SELECT 'enrol', 'id, courseid, status'
    UNION ALL SELECT 'role', 'id, archetype'
    UNION ALL SELECT 'role_assignments', 'roleid, contextid, userid'
    UNION ALL SELECT 'context', 'id, contextlevel, instanceid, path'
    UNION ALL SELECT 'groups', 'id, courseid'
    UNION ALL SELECT 'groups_members', 'groupid, userid'
) AS needed;

-- Badges, and the names of activities of every kind that is installed.
SELECT concat('GRANT SELECT (', group_concat(column_name), ') ON `', table_name, '` TO lms_bot_reader@''%'';')
FROM (
    SELECT 'badge_issued' AS name, 'id, badgeid, userid, dateissued' AS list
    UNION ALL SELECT 'badge', 'id, name, courseid'
    UNION ALL SELECT 'course_modules', 'completion'
    UNION ALL SELECT 'page', 'id, name'
    UNION ALL SELECT 'url', 'id, name'
    UNION ALL SELECT 'resource', 'id, name'
    UNION ALL SELECT 'scorm', 'id, name'
    UNION ALL SELECT 'h5pactivity', 'id, name'
    UNION ALL SELECT 'book', 'id, name'
    UNION ALL SELECT 'folder', 'id, name'
    UNION ALL SELECT 'forum', 'id, name'
    UNION ALL SELECT 'feedback', 'id, name'
    UNION ALL SELECT 'choice', 'id, name'
    UNION ALL SELECT 'glossary', 'id, name'
    UNION ALL SELECT 'wiki', 'id, name'
    UNION ALL SELECT 'workshop', 'id, name'
    UNION ALL SELECT 'data', 'id, name'
    UNION ALL SELECT 'survey', 'id, name'
    UNION ALL SELECT 'lti', 'id, name'
    UNION ALL SELECT 'imscp', 'id, name'
    UNION ALL SELECT 'chat', 'id, name'
    UNION ALL SELECT 'lesson', 'id, name'
    UNION ALL SELECT 'label', 'id, name'
    UNION ALL SELECT 'bigbluebuttonbn', 'id, name'
) AS wanted
JOIN information_schema.columns AS c
    ON table_schema = DATABASE() AND table_name = concat(@prefix, name) AND find_in_set(column_name, replace(list, ' ', ''))
GROUP BY table_name;
