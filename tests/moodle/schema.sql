-- A small Moodle for tests: the tables and columns that are read, with the types of PostgreSQL, written from Moodle's documentation.

CREATE TABLE public.mdl_quiz_attempts (
    id bigint NOT NULL PRIMARY KEY,
    quiz bigint,
    userid bigint,
    attempt bigint,
    preview bigint,
    state varchar(255),
    timestart bigint,
    timefinish bigint,
    sumgrades numeric(10,5),
    timemodified bigint
);
CREATE TABLE public.mdl_assign_submission (
    id bigint NOT NULL PRIMARY KEY,
    assignment bigint,
    userid bigint,
    attemptnumber bigint,
    status varchar(255),
    timemodified bigint
);
CREATE TABLE public.mdl_assign_grades (
    id bigint NOT NULL PRIMARY KEY,
    assignment bigint,
    userid bigint,
    attemptnumber bigint,
    grade numeric(10,5),
    timemodified bigint
);
CREATE TABLE public.mdl_course_modules_viewed (
    id bigint NOT NULL PRIMARY KEY,
    coursemoduleid bigint,
    userid bigint,
    timecreated bigint
);
CREATE TABLE public.mdl_course_modules_completion (
    id bigint NOT NULL PRIMARY KEY,
    coursemoduleid bigint,
    userid bigint,
    completionstate bigint,
    timemodified bigint
);
CREATE TABLE public.mdl_course_completions (
    id bigint NOT NULL PRIMARY KEY,
    userid bigint,
    course bigint,
    timecompleted bigint
);
CREATE TABLE public.mdl_badge_issued (
    id bigint NOT NULL PRIMARY KEY,
    badgeid bigint,
    userid bigint,
    dateissued bigint
);
CREATE TABLE public.mdl_quiz (
    id bigint NOT NULL PRIMARY KEY,
    course bigint,
    name varchar(255),
    sumgrades numeric(10,5),
    grade numeric(10,5),
    timelimit bigint,
    timeclose bigint
);
CREATE TABLE public.mdl_assign (
    id bigint NOT NULL PRIMARY KEY,
    course bigint,
    name varchar(255),
    grade numeric(10,5),
    duedate bigint,
    teamsubmission smallint
);
CREATE TABLE public.mdl_grade_items (
    id bigint NOT NULL PRIMARY KEY,
    itemtype varchar(255),
    itemmodule varchar(255),
    iteminstance bigint,
    itemnumber bigint,
    gradepass numeric(10,5),
    grademin numeric(10,5)
);
CREATE TABLE public.mdl_course_modules (
    id bigint NOT NULL PRIMARY KEY,
    course bigint,
    module bigint,
    instance bigint,
    section bigint,
    visible bigint,
    completionview smallint
);
CREATE TABLE public.mdl_modules (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_course (
    id bigint NOT NULL PRIMARY KEY,
    fullname varchar(255),
    visible smallint
);
CREATE TABLE public.mdl_course_sections (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255),
    section bigint,
    visible smallint
);
CREATE TABLE public.mdl_badge (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255),
    courseid bigint
);
CREATE TABLE public.mdl_user (
    id bigint NOT NULL PRIMARY KEY,
    username varchar(255),
    email varchar(255),
    firstname varchar(255),
    lastname varchar(255),
    deleted bigint,
    suspended bigint,
    lastaccess bigint
);
CREATE TABLE public.mdl_user_lastaccess (
    id bigint NOT NULL PRIMARY KEY,
    userid bigint,
    timeaccess bigint
);
CREATE TABLE public.mdl_user_enrolments (
    id bigint NOT NULL PRIMARY KEY,
    enrolid bigint,
    userid bigint,
    status bigint,
    timestart bigint,
    timeend bigint,
    timecreated bigint
);
CREATE TABLE public.mdl_enrol (
    id bigint NOT NULL PRIMARY KEY,
    courseid bigint,
    status bigint
);
CREATE TABLE public.mdl_role (
    id bigint NOT NULL PRIMARY KEY,
    archetype varchar(255)
);
CREATE TABLE public.mdl_role_assignments (
    id bigint NOT NULL PRIMARY KEY,
    roleid bigint,
    contextid bigint,
    userid bigint
);
CREATE TABLE public.mdl_context (
    id bigint NOT NULL PRIMARY KEY,
    contextlevel bigint,
    instanceid bigint,
    path varchar(255)
);
CREATE TABLE public.mdl_groups (
    id bigint NOT NULL PRIMARY KEY,
    courseid bigint
);
CREATE TABLE public.mdl_groups_members (
    id bigint NOT NULL PRIMARY KEY,
    groupid bigint,
    userid bigint
);
CREATE TABLE public.mdl_page (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_url (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_resource (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_scorm (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_h5pactivity (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_book (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_folder (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_forum (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_feedback (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_choice (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_glossary (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_wiki (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_workshop (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_data (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_survey (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_lti (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_imscp (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_chat (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_lesson (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_label (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
CREATE TABLE public.mdl_bigbluebuttonbn (
    id bigint NOT NULL PRIMARY KEY,
    name varchar(255)
);
