SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alert_names (
    name character varying(16) NOT NULL
);
CREATE TABLE public.alert_reminders (
    reminder_id bigint NOT NULL,
    alert_id bigint NOT NULL,
    reason character varying(16) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.alert_reminders_reminder_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.alert_reminders_reminder_id_seq OWNED BY public.alert_reminders.reminder_id;
CREATE TABLE public.alerts (
    name character varying(64) NOT NULL,
    text text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    over_text text
);
CREATE TABLE public.api_audit (
    audit_id bigint NOT NULL,
    token character varying(64) NOT NULL,
    path character varying(200) NOT NULL,
    student_id bigint,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.api_audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_audit_audit_id_seq OWNED BY public.api_audit.audit_id;
CREATE TABLE public.api_tokens (
    token_id bigint NOT NULL,
    name character varying(64) NOT NULL,
    prefix character varying(16) NOT NULL,
    secret_hash character varying(64) NOT NULL,
    scopes json NOT NULL,
    mentor_id bigint,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);
CREATE SEQUENCE public.api_tokens_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_tokens_token_id_seq OWNED BY public.api_tokens.token_id;
CREATE TABLE public.askers (
    zulip_user_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    questions integer NOT NULL
);
CREATE TABLE public.attempt_results (
    source_table character varying(32) NOT NULL,
    source_id bigint NOT NULL,
    exam_source character varying(32) NOT NULL,
    attempt_id bigint NOT NULL,
    dimension character varying(16) NOT NULL,
    label text NOT NULL,
    correct integer NOT NULL,
    incorrect integer NOT NULL,
    unanswered integer NOT NULL,
    total integer NOT NULL
);
CREATE TABLE public.audit (
    audit_id bigint NOT NULL,
    zulip_user_id bigint NOT NULL,
    command text NOT NULL,
    outcome text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_audit_id_seq OWNED BY public.audit.audit_id;
CREATE TABLE public.batch_students (
    batch_id bigint NOT NULL,
    student_id bigint NOT NULL
);
CREATE TABLE public.batches (
    batch_id bigint NOT NULL,
    name text
);
CREATE TABLE public.claimed_messages (
    zulip_message_id bigint NOT NULL,
    claimed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.class_results (
    source_table character varying(32) NOT NULL,
    activity_id bigint NOT NULL,
    results integer NOT NULL,
    average double precision NOT NULL
);
CREATE TABLE public.counts (
    name character varying(32) NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.course_batches (
    course_id bigint NOT NULL,
    batch_id bigint NOT NULL
);
CREATE TABLE public.course_items (
    course_id bigint NOT NULL,
    item character varying(64) NOT NULL,
    source_table character varying(32) NOT NULL,
    activity_id bigint NOT NULL
);
CREATE TABLE public.course_students (
    course_id bigint NOT NULL,
    student_id bigint NOT NULL
);
CREATE TABLE public.courses (
    course_id bigint NOT NULL,
    title text
);
CREATE TABLE public.cursors (
    source_table character varying(32) NOT NULL,
    "position" json NOT NULL,
    moved_at timestamp with time zone NOT NULL
);
CREATE TABLE public.deadlines (
    source_table character varying(32) NOT NULL,
    activity_id bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    title text,
    expected integer DEFAULT 0 NOT NULL,
    handed_in integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.dialogues (
    zulip_user_id bigint NOT NULL,
    content json NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
CREATE TABLE public.exam_durations (
    exam_id bigint NOT NULL,
    minutes integer NOT NULL
);
CREATE TABLE public.facts (
    name character varying(64) NOT NULL,
    value json NOT NULL,
    noted_at timestamp with time zone NOT NULL
);
CREATE TABLE public.forgotten_students (
    student_id bigint NOT NULL,
    username_digest character varying(64) NOT NULL,
    forgotten_at timestamp with time zone NOT NULL
);
CREATE TABLE public.hand_mappings (
    mentor_id bigint NOT NULL,
    zulip_user_id bigint NOT NULL,
    mapped_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lessons (
    lesson_id bigint NOT NULL,
    title text,
    quiz_source character varying(32),
    quiz_id bigint
);
CREATE TABLE public.lms_activity_events (
    event_id bigint NOT NULL,
    event_type character varying(32) NOT NULL,
    student_id bigint,
    student_username text,
    mentor_id bigint,
    mentor_username text,
    activity_id bigint,
    activity_title text,
    activity_metadata json NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    processed_for_ai boolean DEFAULT false NOT NULL,
    zulip_user_id bigint,
    source_table character varying(32) NOT NULL,
    source_id bigint NOT NULL,
    is_current boolean DEFAULT true NOT NULL,
    is_history boolean DEFAULT false NOT NULL,
    mirrors bigint,
    fingerprint bigint NOT NULL,
    percentage double precision,
    course_key text,
    episode integer DEFAULT 0 NOT NULL,
    is_withdrawn boolean DEFAULT false NOT NULL
);
CREATE SEQUENCE public.lms_activity_events_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lms_activity_events_event_id_seq OWNED BY public.lms_activity_events.event_id;
CREATE TABLE public.lms_counts (
    student_id bigint NOT NULL,
    source_id bigint NOT NULL,
    day date NOT NULL,
    current_streak integer,
    highest_streak integer,
    videos integer,
    exams integer,
    downloads integer,
    conferences integer
);
CREATE TABLE public.lms_event_logs (
    log_id bigint NOT NULL,
    event_id bigint NOT NULL,
    mentor_id bigint NOT NULL,
    due_at timestamp with time zone,
    notification_sent boolean DEFAULT false NOT NULL,
    notification_message_id bigint,
    error_message text,
    attempts integer DEFAULT 0 NOT NULL,
    processed_at timestamp with time zone,
    message_id bigint,
    decision character varying(16)
);
CREATE SEQUENCE public.lms_event_logs_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lms_event_logs_log_id_seq OWNED BY public.lms_event_logs.log_id;
CREATE TABLE public.mentor_students (
    mentor_id bigint NOT NULL,
    student_id bigint NOT NULL
);
CREATE TABLE public.mentors (
    mentor_id bigint NOT NULL,
    username text NOT NULL,
    email text,
    display_name text,
    zulip_user_id bigint,
    unmapped_reason text,
    supervisor_id bigint,
    supervisor_email text,
    students_count integer
);
CREATE TABLE public.messages (
    message_id bigint NOT NULL,
    mentor_id bigint,
    recipient json NOT NULL,
    content text NOT NULL,
    anchor_id bigint NOT NULL,
    state character varying(16) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    next_try_at timestamp with time zone,
    zulip_message_id bigint,
    error text,
    attachment_name text,
    attachment bytea
);
CREATE SEQUENCE public.messages_message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.messages_message_id_seq OWNED BY public.messages.message_id;
CREATE TABLE public.open_rows (
    source_table character varying(32) NOT NULL,
    source_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    look_at timestamp with time zone NOT NULL,
    unknown_state text
);
CREATE TABLE public.orders (
    order_id bigint NOT NULL,
    work character varying(16) NOT NULL,
    types json NOT NULL,
    recipient json NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.orders_order_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.orders_order_id_seq OWNED BY public.orders.order_id;
CREATE TABLE public.outdated_snapshots (
    student_id bigint NOT NULL,
    since timestamp with time zone NOT NULL
);
CREATE TABLE public.page_reports (
    report_id bigint NOT NULL,
    student_id bigint NOT NULL,
    lesson_id bigint NOT NULL,
    stretches json NOT NULL,
    "position" double precision,
    seen_at timestamp with time zone,
    length double precision,
    length_by double precision NOT NULL,
    reported double precision NOT NULL,
    completed_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.page_reports_report_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.page_reports_report_id_seq OWNED BY public.page_reports.report_id;
CREATE TABLE public.preferences (
    mentor_id bigint NOT NULL,
    wishes json NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.pruned_events (
    source_table character varying(32) NOT NULL,
    source_id bigint NOT NULL,
    event_type character varying(32) NOT NULL,
    fingerprint bigint,
    episode integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.sign_in_links (
    link_id bigint NOT NULL,
    secret_hash character varying(64) NOT NULL,
    zulip_user_id bigint NOT NULL,
    as_admin boolean NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE SEQUENCE public.sign_in_links_link_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sign_in_links_link_id_seq OWNED BY public.sign_in_links.link_id;
CREATE TABLE public.streak_marks (
    mark_id bigint NOT NULL,
    streak_id bigint NOT NULL,
    milestone integer
);
CREATE SEQUENCE public.streak_marks_mark_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.streak_marks_mark_id_seq OWNED BY public.streak_marks.mark_id;
CREATE TABLE public.streaks (
    streak_id bigint NOT NULL,
    student_id bigint NOT NULL,
    kind character varying(16) NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    days integer NOT NULL
);
CREATE SEQUENCE public.streaks_streak_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.streaks_streak_id_seq OWNED BY public.streaks.streak_id;
CREATE TABLE public.student_academic_snapshots (
    student_id bigint NOT NULL,
    snapshot_date date NOT NULL,
    total_exams_taken integer NOT NULL,
    average_score double precision,
    videos_watched integer NOT NULL,
    streak_count integer NOT NULL,
    subject_scores json NOT NULL
);
CREATE TABLE public.student_alerts (
    alert_id bigint NOT NULL,
    rule character varying(16) NOT NULL,
    mentor_id bigint NOT NULL,
    student_id bigint NOT NULL,
    subject_id bigint NOT NULL,
    title text,
    level integer NOT NULL,
    numbers json NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    opened_at timestamp with time zone NOT NULL,
    tell_at timestamp with time zone,
    untold character varying(16),
    told_at timestamp with time zone,
    remind_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    taken_at timestamp with time zone,
    taken_by bigint,
    closed_at timestamp with time zone,
    outcome character varying(16),
    note text,
    name character varying(16) NOT NULL,
    former_name character varying(16)
);
CREATE SEQUENCE public.student_alerts_alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.student_alerts_alert_id_seq OWNED BY public.student_alerts.alert_id;
CREATE TABLE public.student_days (
    student_id bigint NOT NULL,
    day date NOT NULL,
    is_active boolean NOT NULL,
    is_learned boolean NOT NULL,
    in_lms boolean NOT NULL
);
CREATE TABLE public.student_zones (
    student_id bigint NOT NULL,
    zone character varying(64) NOT NULL
);
CREATE TABLE public.students (
    student_id bigint NOT NULL,
    username text NOT NULL,
    email text,
    display_name text,
    is_active boolean NOT NULL,
    zulip_user_id bigint
);
CREATE TABLE public.sync_conflicts (
    source_table character varying(32) NOT NULL,
    source_id bigint NOT NULL,
    problem character varying(32) NOT NULL,
    "row" json NOT NULL,
    found_at timestamp with time zone NOT NULL
);
CREATE TABLE public.watched_students (
    student_id bigint NOT NULL,
    enrolled_at timestamp with time zone,
    look_at timestamp with time zone
);
CREATE TABLE public.web_sessions (
    session_id bigint NOT NULL,
    secret_hash character varying(64) NOT NULL,
    zulip_user_id bigint NOT NULL,
    as_admin boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.web_sessions_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.web_sessions_session_id_seq OWNED BY public.web_sessions.session_id;
CREATE TABLE public.zulip_users (
    user_id bigint NOT NULL,
    full_name text NOT NULL,
    email text,
    is_active boolean NOT NULL,
    is_bot boolean NOT NULL,
    is_guest boolean NOT NULL,
    timezone text NOT NULL
);
ALTER TABLE ONLY public.alert_reminders ALTER COLUMN reminder_id SET DEFAULT nextval('public.alert_reminders_reminder_id_seq'::regclass);
ALTER TABLE ONLY public.api_audit ALTER COLUMN audit_id SET DEFAULT nextval('public.api_audit_audit_id_seq'::regclass);
ALTER TABLE ONLY public.api_tokens ALTER COLUMN token_id SET DEFAULT nextval('public.api_tokens_token_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN audit_id SET DEFAULT nextval('public.audit_audit_id_seq'::regclass);
ALTER TABLE ONLY public.lms_activity_events ALTER COLUMN event_id SET DEFAULT nextval('public.lms_activity_events_event_id_seq'::regclass);
ALTER TABLE ONLY public.lms_event_logs ALTER COLUMN log_id SET DEFAULT nextval('public.lms_event_logs_log_id_seq'::regclass);
ALTER TABLE ONLY public.messages ALTER COLUMN message_id SET DEFAULT nextval('public.messages_message_id_seq'::regclass);
ALTER TABLE ONLY public.orders ALTER COLUMN order_id SET DEFAULT nextval('public.orders_order_id_seq'::regclass);
ALTER TABLE ONLY public.page_reports ALTER COLUMN report_id SET DEFAULT nextval('public.page_reports_report_id_seq'::regclass);
ALTER TABLE ONLY public.sign_in_links ALTER COLUMN link_id SET DEFAULT nextval('public.sign_in_links_link_id_seq'::regclass);
ALTER TABLE ONLY public.streak_marks ALTER COLUMN mark_id SET DEFAULT nextval('public.streak_marks_mark_id_seq'::regclass);
ALTER TABLE ONLY public.streaks ALTER COLUMN streak_id SET DEFAULT nextval('public.streaks_streak_id_seq'::regclass);
ALTER TABLE ONLY public.student_alerts ALTER COLUMN alert_id SET DEFAULT nextval('public.student_alerts_alert_id_seq'::regclass);
ALTER TABLE ONLY public.web_sessions ALTER COLUMN session_id SET DEFAULT nextval('public.web_sessions_session_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0010');
INSERT INTO public.alert_names VALUES ('HH3194');
INSERT INTO public.alert_names VALUES ('HB6416');
INSERT INTO public.alert_names VALUES ('MX4495');
INSERT INTO public.alert_names VALUES ('XX1795');
INSERT INTO public.alert_names VALUES ('PM9649');
INSERT INTO public.alert_names VALUES ('TC4298');
INSERT INTO public.alert_names VALUES ('HC2788');
INSERT INTO public.alert_reminders VALUES (7000, 7000, 'kept', '2026-03-02 12:00:00+00');
INSERT INTO public.alerts VALUES ('kept', 'kept', '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00', 'kept');
INSERT INTO public.api_audit VALUES (7000, 'kept', 'kept', 7000, '2026-03-02 12:00:00+00');
INSERT INTO public.api_tokens VALUES (7000, 'kept', 'kept', 'kept', '{}', 7000, '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00');
INSERT INTO public.askers VALUES (7000, '2026-03-02 12:00:00+00', 7000);
INSERT INTO public.attempt_results VALUES ('kept', 7000, 'kept', 7000, 'kept', 'kept', 7000, 7000, 7000, 7000);
INSERT INTO public.audit VALUES (7000, 7000, 'kept', 'kept', '2026-03-02 12:00:00+00');
INSERT INTO public.batch_students VALUES (301, 1001);
INSERT INTO public.batch_students VALUES (301, 1002);
INSERT INTO public.batch_students VALUES (301, 1003);
INSERT INTO public.batch_students VALUES (301, 1004);
INSERT INTO public.batch_students VALUES (301, 1005);
INSERT INTO public.batch_students VALUES (302, 1003);
INSERT INTO public.batch_students VALUES (302, 1006);
INSERT INTO public.batch_students VALUES (302, 1007);
INSERT INTO public.batch_students VALUES (302, 1008);
INSERT INTO public.batch_students VALUES (302, 1009);
INSERT INTO public.batches VALUES (301, 'Autumn 2025');
INSERT INTO public.batches VALUES (302, 'Evening Group');
INSERT INTO public.claimed_messages VALUES (7000, '2026-03-02 12:00:00+00');
INSERT INTO public.class_results VALUES ('attempts', 501, 1, 85);
INSERT INTO public.counts VALUES ('events told', 3);
INSERT INTO public.counts VALUES ('events', 6);
INSERT INTO public.course_batches VALUES (1, 301);
INSERT INTO public.course_batches VALUES (1, 302);
INSERT INTO public.course_batches VALUES (2, 301);
INSERT INTO public.course_batches VALUES (2, 302);
INSERT INTO public.course_batches VALUES (3, 301);
INSERT INTO public.course_batches VALUES (3, 302);
INSERT INTO public.course_items VALUES (1, '1101', 'content_attempts', 1101);
INSERT INTO public.course_items VALUES (1, '1101', 'page_reports', 1101);
INSERT INTO public.course_items VALUES (1, '1101', 'user_videos', 701);
INSERT INTO public.course_items VALUES (1, '1102', 'content_attempts', 1102);
INSERT INTO public.course_items VALUES (1, '1102', 'page_reports', 1102);
INSERT INTO public.course_items VALUES (1, '1103', 'attempts', 501);
INSERT INTO public.course_items VALUES (1, '1103', 'content_attempts', 1103);
INSERT INTO public.course_items VALUES (1, '1103', 'page_reports', 1103);
INSERT INTO public.course_items VALUES (1, '1201', 'content_attempts', 1201);
INSERT INTO public.course_items VALUES (1, '1201', 'page_reports', 1201);
INSERT INTO public.course_items VALUES (1, '1201', 'user_videos', 702);
INSERT INTO public.course_items VALUES (1, '1202', 'content_attempts', 1202);
INSERT INTO public.course_items VALUES (1, '1202', 'page_reports', 1202);
INSERT INTO public.course_items VALUES (1, '1203', 'attempts', 502);
INSERT INTO public.course_items VALUES (1, '1203', 'content_attempts', 1203);
INSERT INTO public.course_items VALUES (1, '1203', 'page_reports', 1203);
INSERT INTO public.course_items VALUES (2, '2101', 'content_attempts', 2101);
INSERT INTO public.course_items VALUES (2, '2101', 'page_reports', 2101);
INSERT INTO public.course_items VALUES (2, '2101', 'user_videos', 703);
INSERT INTO public.course_items VALUES (2, '2102', 'content_attempts', 2102);
INSERT INTO public.course_items VALUES (2, '2102', 'page_reports', 2102);
INSERT INTO public.course_items VALUES (2, '2103', 'attempts', 503);
INSERT INTO public.course_items VALUES (2, '2103', 'content_attempts', 2103);
INSERT INTO public.course_items VALUES (2, '2103', 'page_reports', 2103);
INSERT INTO public.course_items VALUES (2, '2201', 'content_attempts', 2201);
INSERT INTO public.course_items VALUES (2, '2201', 'page_reports', 2201);
INSERT INTO public.course_items VALUES (2, '2201', 'user_videos', 704);
INSERT INTO public.course_items VALUES (2, '2202', 'content_attempts', 2202);
INSERT INTO public.course_items VALUES (2, '2202', 'page_reports', 2202);
INSERT INTO public.course_items VALUES (2, '2203', 'attempts', 504);
INSERT INTO public.course_items VALUES (2, '2203', 'content_attempts', 2203);
INSERT INTO public.course_items VALUES (2, '2203', 'page_reports', 2203);
INSERT INTO public.course_items VALUES (3, '3101', 'content_attempts', 3101);
INSERT INTO public.course_items VALUES (3, '3101', 'page_reports', 3101);
INSERT INTO public.course_items VALUES (3, '3102', 'content_attempts', 3102);
INSERT INTO public.course_items VALUES (3, '3102', 'page_reports', 3102);
INSERT INTO public.course_items VALUES (3, '3102', 'user_videos', 705);
INSERT INTO public.course_items VALUES (3, '3103', 'attempts', 505);
INSERT INTO public.course_items VALUES (3, '3103', 'content_attempts', 3103);
INSERT INTO public.course_items VALUES (3, '3103', 'page_reports', 3103);
INSERT INTO public.course_items VALUES (3, '3201', 'content_attempts', 3201);
INSERT INTO public.course_items VALUES (3, '3201', 'page_reports', 3201);
INSERT INTO public.course_items VALUES (3, '3201', 'user_videos', 706);
INSERT INTO public.course_items VALUES (3, '3202', 'content_attempts', 3202);
INSERT INTO public.course_items VALUES (3, '3202', 'page_reports', 3202);
INSERT INTO public.course_items VALUES (3, '3203', 'attempts', 506);
INSERT INTO public.course_items VALUES (3, '3203', 'content_attempts', 3203);
INSERT INTO public.course_items VALUES (3, '3203', 'page_reports', 3203);
INSERT INTO public.course_students VALUES (7000, 7000);
INSERT INTO public.courses VALUES (1, 'Python Foundations');
INSERT INTO public.courses VALUES (2, 'Databases with SQL');
INSERT INTO public.courses VALUES (3, 'Web Pages from Scratch');
INSERT INTO public.cursors VALUES ('subject_stats', '{"source_table":"subject_stats","baseline_at":"2026-11-27T17:31:11.626537+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:11.626537+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.cursors VALUES ('difficulty_level_stats', '{"source_table":"difficulty_level_stats","baseline_at":"2026-11-27T17:31:11.626537+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:11.626537+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.cursors VALUES ('student_activities', '{"source_table":"student_activities","baseline_at":"2026-11-27T17:31:11.626537+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:11.626537+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.cursors VALUES ('attempts', '{"source_table":"attempts","baseline_at":"2026-11-27T17:31:11.154832+00:00","baseline_snapshot":null,"baseline_id":3,"history_id":3,"history_done":true,"last_id":21,"safe_id":11,"seen":[{"next_xid":0,"last_id":21,"rows":1}],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:17.226094+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":4,"baseline_xids":null}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.cursors VALUES ('content_attempts', '{"source_table":"content_attempts","baseline_at":"2026-11-27T17:31:11.154832+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":12,"safe_id":12,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:17.226094+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.cursors VALUES ('user_videos', '{"source_table":"user_videos","baseline_at":"2026-11-27T17:31:11.154832+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:17.226094+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.cursors VALUES ('certifications', '{"source_table":"certifications","baseline_at":"2026-11-27T17:31:11.154832+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:17.226094+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.deadlines VALUES ('kept', 7000, '2026-03-02 12:00:00+00', 'kept', 7000, 7000);
INSERT INTO public.dialogues VALUES (7000, '{}', '2026-03-02 12:00:00+00');
INSERT INTO public.exam_durations VALUES (501, 30);
INSERT INTO public.exam_durations VALUES (502, 60);
INSERT INTO public.exam_durations VALUES (503, 45);
INSERT INTO public.exam_durations VALUES (504, 90);
INSERT INTO public.exam_durations VALUES (505, 20);
INSERT INTO public.exam_durations VALUES (506, 75);
INSERT INTO public.exam_durations VALUES (507, 40);
INSERT INTO public.facts VALUES ('people_read', 'true', '2026-11-27 17:31:11.154832+00');
INSERT INTO public.facts VALUES ('days', '{"zone":"UTC","turned":{"UTC":"2026-11-27"}}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('enrolment', 'true', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('academics', 'true', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('drift_walk', '{"day":"2026-11-27","is_over":true,"done":[],"positions":{},"pages":{},"found":{}}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('classes', 'true', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('rules', '{"since":"2026-11-27T17:31:11.626537+00:00","off":[],"on_since":{}}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('snapshots', '{"zone":"UTC","newest":"2026-11-23","sweeps":[]}', '2026-11-27 17:31:11.626537+00');
INSERT INTO public.facts VALUES ('presence', '0', '2026-11-27 17:31:14.486489+00');
INSERT INTO public.facts VALUES ('organisation', '"127.0.0.1:42217"', '2026-11-27 17:31:14.671145+00');
INSERT INTO public.facts VALUES ('organisation_administrators', '[17]', '2026-11-27 17:31:14.70105+00');
INSERT INTO public.facts VALUES ('zulip_users_read', 'true', '2026-11-27 17:31:14.70105+00');
INSERT INTO public.facts VALUES ('polled', '{"new_events":1,"polls":{"2026-11-27T17":3},"events":{"2026-11-27T17":4}}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.facts VALUES ('found', '{"last":"2026-11-27T17:31:17.226094+00:00","days":{"2026-11-27":4}}', '2026-11-27 17:31:17.226094+00');
INSERT INTO public.facts VALUES ('events_checked', '6', '2026-11-27 17:31:17.414545+00');
INSERT INTO public.forgotten_students VALUES (7000, 'kept', '2026-03-02 12:00:00+00');
INSERT INTO public.hand_mappings VALUES (7000, 7000, '2026-03-02 12:00:00+00');
INSERT INTO public.lessons VALUES (1101, 'Variables and Types', NULL, NULL);
INSERT INTO public.lessons VALUES (1102, 'Reading a Traceback', NULL, NULL);
INSERT INTO public.lessons VALUES (1103, 'Python Basics Quiz', 'attempts', 501);
INSERT INTO public.lessons VALUES (1201, 'Writing Small Functions', NULL, NULL);
INSERT INTO public.lessons VALUES (1202, 'Exercises: *args and **kwargs', NULL, NULL);
INSERT INTO public.lessons VALUES (1203, 'Functions and Modules Test', 'attempts', 502);
INSERT INTO public.lessons VALUES (2101, 'Your First SELECT', NULL, NULL);
INSERT INTO public.lessons VALUES (2102, 'WHERE, ORDER BY, LIMIT', NULL, NULL);
INSERT INTO public.lessons VALUES (2103, 'SQL SELECT Drill', 'attempts', 503);
INSERT INTO public.lessons VALUES (2201, 'Inner and Outer Joins', NULL, NULL);
INSERT INTO public.lessons VALUES (2202, 'Sample Database: the Library', NULL, NULL);
INSERT INTO public.lessons VALUES (2203, 'Joins Practical', 'attempts', 504);
INSERT INTO public.lessons VALUES (3101, 'Headings, Lists & Links', NULL, NULL);
INSERT INTO public.lessons VALUES (3102, 'Forms, Step by Step', NULL, NULL);
INSERT INTO public.lessons VALUES (3103, 'HTML Checkpoint', 'attempts', 505);
INSERT INTO public.lessons VALUES (3201, 'Flexbox in Ten Minutes', NULL, NULL);
INSERT INTO public.lessons VALUES (3202, 'Layout Sketches (PDF)', NULL, NULL);
INSERT INTO public.lessons VALUES (3203, 'CSS Layout Challenge: Grid & Flexbox', 'attempts', 506);
INSERT INTO public.lms_activity_events VALUES (1, 'exam_passed', 1001, 'jane_smith', 1, 'mary', 501, 'Python Basics Quiz', '{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":1}', '2026-01-05 10:00:00+00', '2026-11-27 17:31:11.154832+00', false, NULL, 'attempts', 1, true, true, NULL, 3339555446708168615, 85, 'python foundations', 0, false);
INSERT INTO public.lms_activity_events VALUES (2, 'exam_started', 1002, 'ravi_patel', 1, 'mary', 501, 'Python Basics Quiz', '{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":null,"course_title":"Python Foundations","attempt_number":1}', '2026-01-05 09:00:00+00', '2026-11-27 17:31:11.154832+00', false, NULL, 'attempts', 2, false, true, NULL, -9943403463503792, 85, 'python foundations', 0, false);
INSERT INTO public.lms_activity_events VALUES (3, 'exam_failed', 1001, 'jane_smith', 1, 'mary', 501, 'Python Basics Quiz', '{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"fail","course_title":"Python Foundations","attempt_number":2}', '2026-11-27 17:31:14.181469+00', '2026-11-27 17:31:14.181469+00', false, NULL, 'attempts', 11, true, false, NULL, -4122562440950563261, 85, 'python foundations', 0, false);
INSERT INTO public.lms_activity_events VALUES (4, 'exam_passed', 1002, 'ravi_patel', 1, 'mary', 501, 'Python Basics Quiz', '{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":1}', '2026-11-27 17:31:14.181469+00', '2026-11-27 17:31:14.181469+00', false, NULL, 'attempts', 2, true, false, NULL, -4932784590060154613, 85, 'python foundations', 0, false);
INSERT INTO public.lms_activity_events VALUES (5, 'content_watched', 1003, 'gulnora', 1, 'mary', 1101, 'Variables and Types', '{"content_type":"video","state":"watched","correct_answers":null,"incorrect_answers":null,"course_title":"Python Foundations","chapter_name":"First Steps","completed_on":null}', '2026-11-27 17:31:14.181469+00', '2026-11-27 17:31:14.181469+00', false, NULL, 'content_attempts', 12, true, false, NULL, -2807483213576083374, NULL, 'python foundations', 0, false);
INSERT INTO public.lms_activity_events VALUES (6, 'exam_passed', 1002, 'ravi_patel', 1, 'mary', 501, 'Python Basics Quiz', '{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":2}', '2026-11-27 17:31:17.226094+00', '2026-11-27 17:31:17.226094+00', false, NULL, 'attempts', 21, true, false, NULL, -52356499241683992, 85, 'python foundations', 0, false);
INSERT INTO public.lms_counts VALUES (7000, 7000, '2026-03-02', 7000, 7000, 7000, 7000, 7000, 7000);
INSERT INTO public.lms_event_logs VALUES (1, 3, 1, NULL, true, 20, NULL, 1, '2026-11-27 17:31:14.785573+00', 1, 'at once');
INSERT INTO public.lms_event_logs VALUES (2, 4, 1, NULL, true, 20, NULL, 1, '2026-11-27 17:31:14.785573+00', 1, 'at once');
INSERT INTO public.lms_event_logs VALUES (3, 5, 1, NULL, true, 20, NULL, 1, '2026-11-27 17:31:14.785573+00', 1, 'at once');
INSERT INTO public.lms_event_logs VALUES (4, 5, 2, NULL, true, 21, NULL, 1, '2026-11-27 17:31:14.818489+00', 2, 'at once');
INSERT INTO public.lms_event_logs VALUES (5, 6, 1, '2026-11-27 17:31:17.226094+00', false, NULL, NULL, 0, NULL, NULL, 'at once');
INSERT INTO public.mentor_students VALUES (1, 1001);
INSERT INTO public.mentor_students VALUES (1, 1002);
INSERT INTO public.mentor_students VALUES (1, 1003);
INSERT INTO public.mentor_students VALUES (1, 1005);
INSERT INTO public.mentor_students VALUES (2, 1003);
INSERT INTO public.mentor_students VALUES (2, 1004);
INSERT INTO public.mentor_students VALUES (2, 1006);
INSERT INTO public.mentor_students VALUES (3, 1008);
INSERT INTO public.mentor_students VALUES (3, 1009);
INSERT INTO public.mentors VALUES (1, 'mary', 'mary@example.org', 'Mary Jones', 14, NULL, NULL, NULL, 4);
INSERT INTO public.mentors VALUES (2, 'omar', 'omar@example.org', 'Omar Haddad', 15, NULL, 1, 'mary@example.org', 3);
INSERT INTO public.mentors VALUES (3, 'lucy', 'lucy@example.org', 'Lucy Brown', 16, NULL, 1, 'mary@example.org', 2);
INSERT INTO public.messages VALUES (1, 1, '{"user_ids":[14],"stream_id":null,"topic":""}', '❌ **Exam Failed**
**Jane Smith** (jane_smith) has failed: **Python Basics Quiz**
📊 **Percentage:** 85% | **Result:** fail
📅 Completed at: <time:2026-11-27T17:31:14Z>
🎉 **Exam Passed!**
**Ravi Patel** (ravi_patel) has passed: **Python Basics Quiz**
📊 **Percentage:** 85% | **Result:** pass
🎉 Congratulations to the student!
👀 **Content Watched**
**Гульнора Каримова** (gulnora) has watched: **Variables and Types**
📚 **Course:** Python Foundations | **Chapter:** First Steps | **Type:** video
📅 Watched at: <time:2026-11-27T17:31:14Z>
👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me.', 19, 'sent', 0, '2026-11-27 17:31:14.749466+00', '2026-11-27 17:31:14.749466+00', NULL, 20, NULL, NULL, NULL);
INSERT INTO public.messages VALUES (2, 2, '{"user_ids":[15],"stream_id":null,"topic":""}', '👀 **Content Watched**
**Гульнора Каримова** (gulnora) has watched: **Variables and Types**
📚 **Course:** Python Foundations | **Chapter:** First Steps | **Type:** video
📅 Watched at: <time:2026-11-27T17:31:14Z>
👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me.', 20, 'sent', 0, '2026-11-27 17:31:14.799546+00', '2026-11-27 17:31:14.799546+00', NULL, 21, NULL, NULL, NULL);
INSERT INTO public.open_rows VALUES ('attempts', 3, '2026-01-05 09:00:00+00', '2026-12-03 17:00:38.091692+00', 'suspended');
INSERT INTO public.orders VALUES (7000, 'kept', '{}', '{}', '2026-03-02 12:00:00+00');
INSERT INTO public.outdated_snapshots VALUES (7000, '2026-03-02 12:00:00+00');
INSERT INTO public.page_reports VALUES (7000, 7000, 7000, '{}', 1.5, '2026-03-02 12:00:00+00', 1.5, 1.5, 1.5, '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00');
INSERT INTO public.preferences VALUES (7000, '{}', '2026-03-02 12:00:00+00');
INSERT INTO public.pruned_events VALUES ('kept', 7000, 'kept', 7000, 7000);
INSERT INTO public.sign_in_links VALUES (7000, 'kept', 7000, true, '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00');
INSERT INTO public.streak_marks VALUES (7000, 7000, 7000);
INSERT INTO public.streaks VALUES (1, 1001, 'presence', '2026-01-05', '2026-01-05', 1);
INSERT INTO public.streaks VALUES (2, 1001, 'learning', '2026-01-05', '2026-01-05', 1);
INSERT INTO public.streaks VALUES (3, 1002, 'presence', '2026-01-05', '2026-01-05', 1);
INSERT INTO public.streaks VALUES (4, 1001, 'presence', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.streaks VALUES (5, 1001, 'learning', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.streaks VALUES (6, 1002, 'presence', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.streaks VALUES (7, 1002, 'learning', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.streaks VALUES (8, 1003, 'presence', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.streaks VALUES (9, 1003, 'learning', '2026-11-27', '2026-11-27', 1);
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-11-23', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1003, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1004, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1005, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1006, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1007, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1008, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1009, '2026-11-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-11-16', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-11-09', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-11-02', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-10-26', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-10-19', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-10-12', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-10-05', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-09-28', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-09-21', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-09-14', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-09-07', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-08-31', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-08-24', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-08-17', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-08-10', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-08-03', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-07-27', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-07-20', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-07-13', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-07-06', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-06-29', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-06-22', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-06-15', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-06-08', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-06-01', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-05-25', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-05-18', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-05-11', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-05-04', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-04-27', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-04-20', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-04-13', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-04-06', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-03-30', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-03-23', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-03-16', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-03-09', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-03-02', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-02-23', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-02-16', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-02-09', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-02-02', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-01-26', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-01-19', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1001, '2026-01-12', 1, 85, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-11-16', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-11-09', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-11-02', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-10-26', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-10-19', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-10-12', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-10-05', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-09-28', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-09-21', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-09-14', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-09-07', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-08-31', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-08-24', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-08-17', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-08-10', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-08-03', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-07-27', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-07-20', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-07-13', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-07-06', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-06-29', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-06-22', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-06-15', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-06-08', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-06-01', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-05-25', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-05-18', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-05-11', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-05-04', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-04-27', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-04-20', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-04-13', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-04-06', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-03-30', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-03-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-03-16', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-03-09', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-03-02', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-02-23', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-02-16', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-02-09', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-02-02', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-01-26', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-01-19', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_academic_snapshots VALUES (1002, '2026-01-12', 0, NULL, 0, 0, '{}');
INSERT INTO public.student_alerts VALUES (5, 'never_started', 2, 1004, 0, NULL, 2, '{"enrolled":"2025-09-02T08:00:00+00:00"}', '2025-09-07 08:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'XX1795', NULL);
INSERT INTO public.student_alerts VALUES (6, 'never_started', 1, 1005, 0, NULL, 2, '{"enrolled":"2025-09-02T08:00:00+00:00"}', '2025-09-07 08:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'PM9649', NULL);
INSERT INTO public.student_alerts VALUES (7, 'never_started', 2, 1006, 0, NULL, 2, '{"enrolled":"2025-09-03T08:00:00+00:00"}', '2025-09-08 08:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'TC4298', NULL);
INSERT INTO public.student_alerts VALUES (8, 'never_started', 3, 1008, 0, NULL, 2, '{"enrolled":"2025-09-04T08:00:00+00:00"}', '2025-09-09 08:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'HC2788', NULL);
INSERT INTO public.student_alerts VALUES (1, 'inactive', 1, 1001, 0, NULL, 3, '{"last":"2026-01-05T10:00:00+00:00","usual_gap":null,"allowed":5.0,"passing":true}', '2026-01-16 10:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, '2026-11-27 17:31:14.486489+00', 'over', NULL, 'HH3194', NULL);
INSERT INTO public.student_alerts VALUES (2, 'inactive', 1, 1002, 0, NULL, 3, '{"last":"2026-01-05T09:00:00+00:00","usual_gap":null,"allowed":5.0,"passing":true}', '2026-01-16 09:00:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, '2026-11-27 17:31:14.486489+00', 'over', NULL, 'HB6416', NULL);
INSERT INTO public.student_alerts VALUES (3, 'never_started', 1, 1003, 0, NULL, 2, '{"enrolled":"2025-09-01T08:10:00+00:00"}', '2025-09-06 08:10:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, '2026-11-27 17:31:14.486489+00', 'over', NULL, 'MX4495', NULL);
INSERT INTO public.student_alerts VALUES (4, 'never_started', 2, 1003, 0, NULL, 2, '{"enrolled":"2025-09-01T08:10:00+00:00"}', '2025-09-06 08:10:00+00', NULL, '2026-11-27 17:31:11.626537+00', NULL, 'baseline', NULL, NULL, NULL, NULL, NULL, '2026-11-27 17:31:14.486489+00', 'over', NULL, 'MX4495', NULL);
INSERT INTO public.student_days VALUES (1001, '2026-01-05', true, true, false);
INSERT INTO public.student_days VALUES (1002, '2026-01-05', true, false, false);
INSERT INTO public.student_days VALUES (1001, '2026-11-27', true, true, false);
INSERT INTO public.student_days VALUES (1002, '2026-11-27', true, true, false);
INSERT INTO public.student_days VALUES (1003, '2026-11-27', true, true, false);
INSERT INTO public.student_zones VALUES (7000, 'kept');
INSERT INTO public.students VALUES (1001, 'jane_smith', 'jane.smith@example.org', 'Jane Smith', true, NULL);
INSERT INTO public.students VALUES (1002, 'ravi_patel', 'ravi.patel@example.org', 'Ravi Patel', true, NULL);
INSERT INTO public.students VALUES (1003, 'gulnora', 'gulnora@example.org', 'Гульнора Каримова', true, NULL);
INSERT INTO public.students VALUES (1004, 'obrien', 'sean.obrien@example.org', 'Sean O''Brien', true, NULL);
INSERT INTO public.students VALUES (1005, 'john_doe', 'john.doe@example.org', 'John Doe', true, NULL);
INSERT INTO public.students VALUES (1006, 'mei_lin', 'mei.lin@example.org', 'Mei Lin', true, NULL);
INSERT INTO public.students VALUES (1007, 'sofia_rossi', NULL, 'Sofia Rossi', true, NULL);
INSERT INTO public.students VALUES (1008, 'kwame_mensah', 'kwame.mensah@example.org', 'Kwame Mensah', true, NULL);
INSERT INTO public.students VALUES (1009, 'lena_vogel', 'lena.vogel@example.org', 'Lena Vogel', false, NULL);
INSERT INTO public.sync_conflicts VALUES ('kept', 7000, 'kept', '{}', '2026-03-02 12:00:00+00');
INSERT INTO public.watched_students VALUES (1004, '2025-09-02 08:00:00+00', NULL);
INSERT INTO public.watched_students VALUES (1005, '2025-09-02 08:00:00+00', NULL);
INSERT INTO public.watched_students VALUES (1006, '2025-09-03 08:00:00+00', NULL);
INSERT INTO public.watched_students VALUES (1007, '2025-09-03 08:00:00+00', NULL);
INSERT INTO public.watched_students VALUES (1008, '2025-09-04 08:00:00+00', NULL);
INSERT INTO public.watched_students VALUES (1009, NULL, NULL);
INSERT INTO public.watched_students VALUES (1001, '2025-09-01 08:00:00+00', '2026-12-02 17:31:14.181469+00');
INSERT INTO public.watched_students VALUES (1003, '2025-09-01 08:10:00+00', '2026-12-02 17:31:14.181469+00');
INSERT INTO public.watched_students VALUES (1002, '2025-09-01 08:05:00+00', '2026-12-02 17:31:17.226094+00');
INSERT INTO public.web_sessions VALUES (7000, 'kept', 7000, true, '2026-03-02 12:00:00+00', '2026-03-02 12:00:00+00');
INSERT INTO public.zulip_users VALUES (13, 'LMS Bot', 'lms-bot@zulip.example.com', true, true, false, '');
INSERT INTO public.zulip_users VALUES (14, 'Mary Jones', 'mary@example.org', true, false, false, '');
INSERT INTO public.zulip_users VALUES (15, 'Omar Haddad', 'omar@example.org', true, false, false, '');
INSERT INTO public.zulip_users VALUES (16, 'Lucy Brown', 'lucy@example.org', true, false, false, '');
INSERT INTO public.zulip_users VALUES (17, 'Ada Admin', 'ada@example.org', true, false, false, '');
INSERT INTO public.zulip_users VALUES (18, 'Eve Stranger', 'eve@example.org', true, false, false, '');
SELECT pg_catalog.setval('public.alert_reminders_reminder_id_seq', 1, false);
SELECT pg_catalog.setval('public.api_audit_audit_id_seq', 1, false);
SELECT pg_catalog.setval('public.api_tokens_token_id_seq', 1, false);
SELECT pg_catalog.setval('public.audit_audit_id_seq', 1, false);
SELECT pg_catalog.setval('public.lms_activity_events_event_id_seq', 6, true);
SELECT pg_catalog.setval('public.lms_event_logs_log_id_seq', 5, true);
SELECT pg_catalog.setval('public.messages_message_id_seq', 2, true);
SELECT pg_catalog.setval('public.orders_order_id_seq', 1, false);
SELECT pg_catalog.setval('public.page_reports_report_id_seq', 1, false);
SELECT pg_catalog.setval('public.sign_in_links_link_id_seq', 1, false);
SELECT pg_catalog.setval('public.streak_marks_mark_id_seq', 1, false);
SELECT pg_catalog.setval('public.streaks_streak_id_seq', 9, true);
SELECT pg_catalog.setval('public.student_alerts_alert_id_seq', 8, true);
SELECT pg_catalog.setval('public.web_sessions_session_id_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alert_names
    ADD CONSTRAINT pk_alert_names PRIMARY KEY (name);
ALTER TABLE ONLY public.alert_reminders
    ADD CONSTRAINT pk_alert_reminders PRIMARY KEY (reminder_id);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT pk_alerts PRIMARY KEY (name);
ALTER TABLE ONLY public.api_audit
    ADD CONSTRAINT pk_api_audit PRIMARY KEY (audit_id);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT pk_api_tokens PRIMARY KEY (token_id);
ALTER TABLE ONLY public.askers
    ADD CONSTRAINT pk_askers PRIMARY KEY (zulip_user_id);
ALTER TABLE ONLY public.attempt_results
    ADD CONSTRAINT pk_attempt_results PRIMARY KEY (source_table, source_id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (audit_id);
ALTER TABLE ONLY public.batch_students
    ADD CONSTRAINT pk_batch_students PRIMARY KEY (batch_id, student_id);
ALTER TABLE ONLY public.batches
    ADD CONSTRAINT pk_batches PRIMARY KEY (batch_id);
ALTER TABLE ONLY public.claimed_messages
    ADD CONSTRAINT pk_claimed_messages PRIMARY KEY (zulip_message_id);
ALTER TABLE ONLY public.class_results
    ADD CONSTRAINT pk_class_results PRIMARY KEY (source_table, activity_id);
ALTER TABLE ONLY public.counts
    ADD CONSTRAINT pk_counts PRIMARY KEY (name);
ALTER TABLE ONLY public.course_batches
    ADD CONSTRAINT pk_course_batches PRIMARY KEY (course_id, batch_id);
ALTER TABLE ONLY public.course_items
    ADD CONSTRAINT pk_course_items PRIMARY KEY (course_id, item, source_table, activity_id);
ALTER TABLE ONLY public.course_students
    ADD CONSTRAINT pk_course_students PRIMARY KEY (course_id, student_id);
ALTER TABLE ONLY public.courses
    ADD CONSTRAINT pk_courses PRIMARY KEY (course_id);
ALTER TABLE ONLY public.cursors
    ADD CONSTRAINT pk_cursors PRIMARY KEY (source_table);
ALTER TABLE ONLY public.deadlines
    ADD CONSTRAINT pk_deadlines PRIMARY KEY (source_table, activity_id);
ALTER TABLE ONLY public.dialogues
    ADD CONSTRAINT pk_dialogues PRIMARY KEY (zulip_user_id);
ALTER TABLE ONLY public.exam_durations
    ADD CONSTRAINT pk_exam_durations PRIMARY KEY (exam_id);
ALTER TABLE ONLY public.facts
    ADD CONSTRAINT pk_facts PRIMARY KEY (name);
ALTER TABLE ONLY public.forgotten_students
    ADD CONSTRAINT pk_forgotten_students PRIMARY KEY (student_id);
ALTER TABLE ONLY public.hand_mappings
    ADD CONSTRAINT pk_hand_mappings PRIMARY KEY (mentor_id);
ALTER TABLE ONLY public.lessons
    ADD CONSTRAINT pk_lessons PRIMARY KEY (lesson_id);
ALTER TABLE ONLY public.lms_activity_events
    ADD CONSTRAINT pk_lms_activity_events PRIMARY KEY (event_id);
ALTER TABLE ONLY public.lms_counts
    ADD CONSTRAINT pk_lms_counts PRIMARY KEY (student_id);
ALTER TABLE ONLY public.lms_event_logs
    ADD CONSTRAINT pk_lms_event_logs PRIMARY KEY (log_id);
ALTER TABLE ONLY public.mentor_students
    ADD CONSTRAINT pk_mentor_students PRIMARY KEY (mentor_id, student_id);
ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT pk_mentors PRIMARY KEY (mentor_id);
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT pk_messages PRIMARY KEY (message_id);
ALTER TABLE ONLY public.open_rows
    ADD CONSTRAINT pk_open_rows PRIMARY KEY (source_table, source_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT pk_orders PRIMARY KEY (order_id);
ALTER TABLE ONLY public.outdated_snapshots
    ADD CONSTRAINT pk_outdated_snapshots PRIMARY KEY (student_id);
ALTER TABLE ONLY public.page_reports
    ADD CONSTRAINT pk_page_reports PRIMARY KEY (report_id);
ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT pk_preferences PRIMARY KEY (mentor_id);
ALTER TABLE ONLY public.pruned_events
    ADD CONSTRAINT pk_pruned_events PRIMARY KEY (source_table, source_id, episode, event_type);
ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT pk_sign_in_links PRIMARY KEY (link_id);
ALTER TABLE ONLY public.streak_marks
    ADD CONSTRAINT pk_streak_marks PRIMARY KEY (mark_id);
ALTER TABLE ONLY public.streaks
    ADD CONSTRAINT pk_streaks PRIMARY KEY (streak_id);
ALTER TABLE ONLY public.student_academic_snapshots
    ADD CONSTRAINT pk_student_academic_snapshots PRIMARY KEY (student_id, snapshot_date);
ALTER TABLE ONLY public.student_alerts
    ADD CONSTRAINT pk_student_alerts PRIMARY KEY (alert_id);
ALTER TABLE ONLY public.student_days
    ADD CONSTRAINT pk_student_days PRIMARY KEY (student_id, day);
ALTER TABLE ONLY public.student_zones
    ADD CONSTRAINT pk_student_zones PRIMARY KEY (student_id);
ALTER TABLE ONLY public.students
    ADD CONSTRAINT pk_students PRIMARY KEY (student_id);
ALTER TABLE ONLY public.sync_conflicts
    ADD CONSTRAINT pk_sync_conflicts PRIMARY KEY (source_table, source_id, problem);
ALTER TABLE ONLY public.watched_students
    ADD CONSTRAINT pk_watched_students PRIMARY KEY (student_id);
ALTER TABLE ONLY public.web_sessions
    ADD CONSTRAINT pk_web_sessions PRIMARY KEY (session_id);
ALTER TABLE ONLY public.zulip_users
    ADD CONSTRAINT pk_zulip_users PRIMARY KEY (user_id);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT uq_api_tokens_name UNIQUE (name);
ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT uq_api_tokens_prefix UNIQUE (prefix);
ALTER TABLE ONLY public.lms_activity_events
    ADD CONSTRAINT uq_lms_activity_events_source_table_source_id_episode_e_4a4e UNIQUE (source_table, source_id, episode, event_type);
ALTER TABLE ONLY public.lms_event_logs
    ADD CONSTRAINT uq_lms_event_logs_event_id_mentor_id UNIQUE (event_id, mentor_id);
ALTER TABLE ONLY public.page_reports
    ADD CONSTRAINT uq_page_reports_student_id_lesson_id UNIQUE (student_id, lesson_id);
ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT uq_sign_in_links_secret_hash UNIQUE (secret_hash);
ALTER TABLE ONLY public.streak_marks
    ADD CONSTRAINT uq_streak_marks_streak_id_milestone UNIQUE (streak_id, milestone);
ALTER TABLE ONLY public.streaks
    ADD CONSTRAINT uq_streaks_student_id_kind_last_day UNIQUE (student_id, kind, last_day);
ALTER TABLE ONLY public.student_alerts
    ADD CONSTRAINT uq_student_alerts_mentor_id_former_name UNIQUE (mentor_id, former_name);
ALTER TABLE ONLY public.web_sessions
    ADD CONSTRAINT uq_web_sessions_secret_hash UNIQUE (secret_hash);
CREATE INDEX ix_alert_reminders_alert_id ON public.alert_reminders USING btree (alert_id);
CREATE INDEX ix_api_audit_student_id ON public.api_audit USING btree (student_id);
CREATE INDEX ix_attempt_results_attempt_id_exam_source ON public.attempt_results USING btree (attempt_id, exam_source);
CREATE INDEX ix_batch_students_student_id ON public.batch_students USING btree (student_id);
CREATE INDEX ix_course_batches_batch_id ON public.course_batches USING btree (batch_id);
CREATE INDEX ix_course_items_source_table_activity_id ON public.course_items USING btree (source_table, activity_id);
CREATE INDEX ix_course_students_student_id ON public.course_students USING btree (student_id);
CREATE INDEX ix_lms_activity_events_exams ON public.lms_activity_events USING btree (student_id, activity_id, source_table, source_id) WHERE (((event_type)::text > 'exam'::text) AND ((event_type)::text < 'exan'::text) AND is_current);
CREATE INDEX ix_lms_activity_events_newest ON public.lms_activity_events USING btree ("timestamp", event_id, event_type) WHERE ((mirrors IS NULL) AND (is_withdrawn IS FALSE));
CREATE INDEX ix_lms_activity_events_nobodys ON public.lms_activity_events USING btree (student_id) WHERE ((mentor_id IS NULL) AND (NOT is_history));
CREATE INDEX ix_lms_activity_events_results ON public.lms_activity_events USING btree (activity_id, source_table, student_id, percentage, event_type, is_current, is_withdrawn) WHERE (((event_type)::text > 'exam'::text) AND ((event_type)::text < 'exam_q'::text) AND is_current AND (NOT is_withdrawn) AND (percentage IS NOT NULL));
CREATE INDEX ix_lms_activity_events_students ON public.lms_activity_events USING btree (student_id, "timestamp", event_id, event_type, is_current, mirrors, percentage, course_key, is_withdrawn);
CREATE INDEX ix_lms_activity_events_unprocessed ON public.lms_activity_events USING btree (event_id) WHERE (NOT processed_for_ai);
CREATE INDEX ix_lms_event_logs_due ON public.lms_event_logs USING btree (mentor_id, due_at, event_id) WHERE (due_at IS NOT NULL);
CREATE INDEX ix_lms_event_logs_errors ON public.lms_event_logs USING btree (mentor_id, event_id) WHERE ((NOT notification_sent) AND (error_message IS NOT NULL));
CREATE INDEX ix_lms_event_logs_message_id ON public.lms_event_logs USING btree (message_id);
CREATE INDEX ix_lms_event_logs_sent ON public.lms_event_logs USING btree (mentor_id, event_id) WHERE notification_sent;
CREATE INDEX ix_mentor_students_student_id ON public.mentor_students USING btree (student_id);
CREATE INDEX ix_mentors_zulip_user_id ON public.mentors USING btree (zulip_user_id);
CREATE INDEX ix_messages_created_at ON public.messages USING btree (created_at);
CREATE INDEX ix_messages_mentor_id ON public.messages USING btree (mentor_id);
CREATE INDEX ix_messages_unsettled ON public.messages USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);
CREATE INDEX ix_messages_zulip_message_id ON public.messages USING btree (zulip_message_id);
CREATE INDEX ix_open_rows_source_table_look_at ON public.open_rows USING btree (source_table, look_at);
CREATE INDEX ix_sign_in_links_zulip_user_id ON public.sign_in_links USING btree (zulip_user_id);
CREATE INDEX ix_streaks_kind_last_day ON public.streaks USING btree (kind, last_day);
CREATE INDEX ix_student_academic_snapshots_snapshot_date ON public.student_academic_snapshots USING btree (snapshot_date);
CREATE INDEX ix_student_alerts_mentor_id_told_at ON public.student_alerts USING btree (mentor_id, told_at);
CREATE INDEX ix_student_alerts_name ON public.student_alerts USING btree (name);
CREATE INDEX ix_student_alerts_remind ON public.student_alerts USING btree (remind_at) WHERE (remind_at IS NOT NULL);
CREATE INDEX ix_student_alerts_rule ON public.student_alerts USING btree (rule, alert_id) WHERE (closed_at IS NULL);
CREATE INDEX ix_student_alerts_student_id_closed_at ON public.student_alerts USING btree (student_id, closed_at);
CREATE INDEX ix_student_alerts_tell ON public.student_alerts USING btree (tell_at) WHERE (tell_at IS NOT NULL);
CREATE INDEX ix_student_alerts_until ON public.student_alerts USING btree (until) WHERE (closed_at IS NULL);
CREATE INDEX ix_students_username ON public.students USING btree (username);
CREATE INDEX ix_students_zulip_user_id ON public.students USING btree (zulip_user_id);
CREATE INDEX ix_watched_students_look_at ON public.watched_students USING btree (look_at);
CREATE INDEX ix_web_sessions_zulip_user_id ON public.web_sessions USING btree (zulip_user_id);
CREATE UNIQUE INDEX uq_messages_unsettled_mentor ON public.messages USING btree (mentor_id) WHERE (next_try_at IS NOT NULL);
CREATE UNIQUE INDEX uq_student_alerts_open ON public.student_alerts USING btree (mentor_id, student_id, rule, subject_id) WHERE (closed_at IS NULL);
ALTER TABLE ONLY public.lms_event_logs
    ADD CONSTRAINT fk_lms_event_logs_event_id FOREIGN KEY (event_id) REFERENCES public.lms_activity_events(event_id);
ALTER TABLE ONLY public.lms_event_logs
    ADD CONSTRAINT fk_lms_event_logs_message_id FOREIGN KEY (message_id) REFERENCES public.messages(message_id);
