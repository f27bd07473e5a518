BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE alert_names (
	name VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_alert_names PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "alert_names" VALUES('BC9085');
INSERT INTO "alert_names" VALUES('HM4595');
INSERT INTO "alert_names" VALUES('HX7080');
INSERT INTO "alert_names" VALUES('MM6111');
INSERT INTO "alert_names" VALUES('PB5238');
INSERT INTO "alert_names" VALUES('PK7400');
INSERT INTO "alert_names" VALUES('TB1209');
CREATE TABLE alert_reminders (
	reminder_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	alert_id BIGINT NOT NULL, 
	reason VARCHAR(16) NOT NULL, 
	at DATETIME NOT NULL
);
INSERT INTO "alert_reminders" VALUES(7000,7000,'kept','2026-03-02 12:00:00.000000');
CREATE TABLE alerts (
	name VARCHAR(64) NOT NULL, 
	text TEXT NOT NULL, 
	began_at DATETIME NOT NULL, 
	told_at DATETIME, 
	over_text TEXT, 
	CONSTRAINT pk_alerts PRIMARY KEY (name)
);
INSERT INTO "alerts" VALUES('kept','kept','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000','kept');
CREATE TABLE api_audit (
	audit_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	token VARCHAR(64) NOT NULL, 
	path VARCHAR(200) NOT NULL, 
	student_id BIGINT, 
	at DATETIME NOT NULL
);
INSERT INTO "api_audit" VALUES(7000,'kept','kept',7000,'2026-03-02 12:00:00.000000');
CREATE TABLE api_tokens (
	token_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(64) NOT NULL, 
	prefix VARCHAR(16) NOT NULL, 
	secret_hash VARCHAR(64) NOT NULL, 
	scopes JSON NOT NULL, 
	mentor_id BIGINT, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	last_used_at DATETIME, 
	revoked_at DATETIME, 
	CONSTRAINT uq_api_tokens_name UNIQUE (name), 
	CONSTRAINT uq_api_tokens_prefix UNIQUE (prefix)
);
INSERT INTO "api_tokens" VALUES(7000,'kept','kept','kept','{}',7000,'2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000');
CREATE TABLE askers (
	zulip_user_id BIGINT NOT NULL, 
	since DATETIME NOT NULL, 
	questions INTEGER NOT NULL, 
	CONSTRAINT pk_askers PRIMARY KEY (zulip_user_id)
);
INSERT INTO "askers" VALUES(7000,'2026-03-02 12:00:00.000000',7000);
CREATE TABLE attempt_results (
	source_table VARCHAR(32) NOT NULL, 
	source_id BIGINT NOT NULL, 
	exam_source VARCHAR(32) NOT NULL, 
	attempt_id BIGINT NOT NULL, 
	dimension VARCHAR(16) NOT NULL, 
	label TEXT NOT NULL, 
	correct INTEGER NOT NULL, 
	incorrect INTEGER NOT NULL, 
	unanswered INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	CONSTRAINT pk_attempt_results PRIMARY KEY (source_table, source_id)
);
INSERT INTO "attempt_results" VALUES('kept',7000,'kept',7000,'kept','kept',7000,7000,7000,7000);
CREATE TABLE "audit" (
	audit_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	zulip_user_id BIGINT NOT NULL, 
	command TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	at DATETIME NOT NULL
);
INSERT INTO "audit" VALUES(7000,7000,'kept','kept','2026-03-02 12:00:00.000000');
CREATE TABLE batch_students (
	batch_id BIGINT NOT NULL, 
	student_id BIGINT NOT NULL, 
	CONSTRAINT pk_batch_students PRIMARY KEY (batch_id, student_id)
);
INSERT INTO "batch_students" VALUES(301,1001);
INSERT INTO "batch_students" VALUES(301,1002);
INSERT INTO "batch_students" VALUES(301,1003);
INSERT INTO "batch_students" VALUES(301,1004);
INSERT INTO "batch_students" VALUES(301,1005);
INSERT INTO "batch_students" VALUES(302,1003);
INSERT INTO "batch_students" VALUES(302,1006);
INSERT INTO "batch_students" VALUES(302,1007);
INSERT INTO "batch_students" VALUES(302,1008);
INSERT INTO "batch_students" VALUES(302,1009);
CREATE TABLE batches (
	batch_id BIGINT NOT NULL, 
	name TEXT, 
	CONSTRAINT pk_batches PRIMARY KEY (batch_id)
);
INSERT INTO "batches" VALUES(301,'Autumn 2025');
INSERT INTO "batches" VALUES(302,'Evening Group');
CREATE TABLE claimed_messages (
	zulip_message_id BIGINT NOT NULL, 
	claimed_at DATETIME NOT NULL, 
	CONSTRAINT pk_claimed_messages PRIMARY KEY (zulip_message_id)
);
INSERT INTO "claimed_messages" VALUES(7000,'2026-03-02 12:00:00.000000');
CREATE TABLE class_results (
	source_table VARCHAR(32) NOT NULL, 
	activity_id BIGINT NOT NULL, 
	results INTEGER NOT NULL, 
	average DOUBLE NOT NULL, 
	CONSTRAINT pk_class_results PRIMARY KEY (source_table, activity_id)
);
INSERT INTO "class_results" VALUES('attempts',501,1,85.0);
CREATE TABLE counts (
	name VARCHAR(32) NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counts PRIMARY KEY (name)
);
INSERT INTO "counts" VALUES('events',6);
INSERT INTO "counts" VALUES('events told',3);
CREATE TABLE course_batches (
	course_id BIGINT NOT NULL, 
	batch_id BIGINT NOT NULL, 
	CONSTRAINT pk_course_batches PRIMARY KEY (course_id, batch_id)
);
INSERT INTO "course_batches" VALUES(1,301);
INSERT INTO "course_batches" VALUES(1,302);
INSERT INTO "course_batches" VALUES(2,301);
INSERT INTO "course_batches" VALUES(2,302);
INSERT INTO "course_batches" VALUES(3,301);
INSERT INTO "course_batches" VALUES(3,302);
CREATE TABLE course_items (
	course_id BIGINT NOT NULL, 
	item VARCHAR(64) NOT NULL, 
	source_table VARCHAR(32) NOT NULL, 
	activity_id BIGINT NOT NULL, 
	CONSTRAINT pk_course_items PRIMARY KEY (course_id, item, source_table, activity_id)
);
INSERT INTO "course_items" VALUES(1,'1101','content_attempts',1101);
INSERT INTO "course_items" VALUES(1,'1101','page_reports',1101);
INSERT INTO "course_items" VALUES(1,'1101','user_videos',701);
INSERT INTO "course_items" VALUES(1,'1102','content_attempts',1102);
INSERT INTO "course_items" VALUES(1,'1102','page_reports',1102);
INSERT INTO "course_items" VALUES(1,'1103','attempts',501);
INSERT INTO "course_items" VALUES(1,'1103','content_attempts',1103);
INSERT INTO "course_items" VALUES(1,'1103','page_reports',1103);
INSERT INTO "course_items" VALUES(1,'1201','content_attempts',1201);
INSERT INTO "course_items" VALUES(1,'1201','page_reports',1201);
INSERT INTO "course_items" VALUES(1,'1201','user_videos',702);
INSERT INTO "course_items" VALUES(1,'1202','content_attempts',1202);
INSERT INTO "course_items" VALUES(1,'1202','page_reports',1202);
INSERT INTO "course_items" VALUES(1,'1203','attempts',502);
INSERT INTO "course_items" VALUES(1,'1203','content_attempts',1203);
INSERT INTO "course_items" VALUES(1,'1203','page_reports',1203);
INSERT INTO "course_items" VALUES(2,'2101','content_attempts',2101);
INSERT INTO "course_items" VALUES(2,'2101','page_reports',2101);
INSERT INTO "course_items" VALUES(2,'2101','user_videos',703);
INSERT INTO "course_items" VALUES(2,'2102','content_attempts',2102);
INSERT INTO "course_items" VALUES(2,'2102','page_reports',2102);
INSERT INTO "course_items" VALUES(2,'2103','attempts',503);
INSERT INTO "course_items" VALUES(2,'2103','content_attempts',2103);
INSERT INTO "course_items" VALUES(2,'2103','page_reports',2103);
INSERT INTO "course_items" VALUES(2,'2201','content_attempts',2201);
INSERT INTO "course_items" VALUES(2,'2201','page_reports',2201);
INSERT INTO "course_items" VALUES(2,'2201','user_videos',704);
INSERT INTO "course_items" VALUES(2,'2202','content_attempts',2202);
INSERT INTO "course_items" VALUES(2,'2202','page_reports',2202);
INSERT INTO "course_items" VALUES(2,'2203','attempts',504);
INSERT INTO "course_items" VALUES(2,'2203','content_attempts',2203);
INSERT INTO "course_items" VALUES(2,'2203','page_reports',2203);
INSERT INTO "course_items" VALUES(3,'3101','content_attempts',3101);
INSERT INTO "course_items" VALUES(3,'3101','page_reports',3101);
INSERT INTO "course_items" VALUES(3,'3102','content_attempts',3102);
INSERT INTO "course_items" VALUES(3,'3102','page_reports',3102);
INSERT INTO "course_items" VALUES(3,'3102','user_videos',705);
INSERT INTO "course_items" VALUES(3,'3103','attempts',505);
INSERT INTO "course_items" VALUES(3,'3103','content_attempts',3103);
INSERT INTO "course_items" VALUES(3,'3103','page_reports',3103);
INSERT INTO "course_items" VALUES(3,'3201','content_attempts',3201);
INSERT INTO "course_items" VALUES(3,'3201','page_reports',3201);
INSERT INTO "course_items" VALUES(3,'3201','user_videos',706);
INSERT INTO "course_items" VALUES(3,'3202','content_attempts',3202);
INSERT INTO "course_items" VALUES(3,'3202','page_reports',3202);
INSERT INTO "course_items" VALUES(3,'3203','attempts',506);
INSERT INTO "course_items" VALUES(3,'3203','content_attempts',3203);
INSERT INTO "course_items" VALUES(3,'3203','page_reports',3203);
CREATE TABLE course_students (
	course_id BIGINT NOT NULL, 
	student_id BIGINT NOT NULL, 
	CONSTRAINT pk_course_students PRIMARY KEY (course_id, student_id)
);
INSERT INTO "course_students" VALUES(7000,7000);
CREATE TABLE courses (
	course_id BIGINT NOT NULL, 
	title TEXT, 
	CONSTRAINT pk_courses PRIMARY KEY (course_id)
);
INSERT INTO "courses" VALUES(1,'Python Foundations');
INSERT INTO "courses" VALUES(2,'Databases with SQL');
INSERT INTO "courses" VALUES(3,'Web Pages from Scratch');
CREATE TABLE cursors (
	source_table VARCHAR(32) NOT NULL, 
	position JSON NOT NULL, 
	moved_at DATETIME NOT NULL, 
	CONSTRAINT pk_cursors PRIMARY KEY (source_table)
);
INSERT INTO "cursors" VALUES('attempts','{"source_table":"attempts","baseline_at":"2026-11-27T17:30:59.671384+00:00","baseline_snapshot":null,"baseline_id":3,"history_id":3,"history_done":true,"last_id":21,"safe_id":11,"seen":[{"next_xid":0,"last_id":21,"rows":1}],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:04.063033+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":4,"baseline_xids":null}','2026-11-27 17:31:04.063033');
INSERT INTO "cursors" VALUES('content_attempts','{"source_table":"content_attempts","baseline_at":"2026-11-27T17:30:59.671384+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":12,"safe_id":12,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:04.063033+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}','2026-11-27 17:31:04.063033');
INSERT INTO "cursors" VALUES('user_videos','{"source_table":"user_videos","baseline_at":"2026-11-27T17:30:59.671384+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:04.063033+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}','2026-11-27 17:31:04.063033');
INSERT INTO "cursors" VALUES('certifications','{"source_table":"certifications","baseline_at":"2026-11-27T17:30:59.671384+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:31:04.063033+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":3,"baseline_xids":null}','2026-11-27 17:31:04.063033');
INSERT INTO "cursors" VALUES('subject_stats','{"source_table":"subject_stats","baseline_at":"2026-11-27T17:30:59.850455+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:30:59.850455+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}','2026-11-27 17:30:59.850455');
INSERT INTO "cursors" VALUES('difficulty_level_stats','{"source_table":"difficulty_level_stats","baseline_at":"2026-11-27T17:30:59.850455+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:30:59.850455+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}','2026-11-27 17:30:59.850455');
INSERT INTO "cursors" VALUES('student_activities','{"source_table":"student_activities","baseline_at":"2026-11-27T17:30:59.850455+00:00","baseline_snapshot":null,"baseline_id":0,"history_id":-2147483649,"history_done":true,"last_id":0,"safe_id":0,"seen":[],"sweep_position":null,"sweep_since":null,"sweep_next_since":null,"sweep_started_at":"2026-11-27T17:30:59.850455+00:00","sweep_seconds":0.0,"server":null,"next_xid":0,"version":1,"baseline_xids":null}','2026-11-27 17:30:59.850455');
CREATE TABLE deadlines (
	source_table VARCHAR(32) NOT NULL, 
	activity_id BIGINT NOT NULL, 
	until DATETIME NOT NULL, 
	title TEXT, 
	expected INTEGER DEFAULT '0' NOT NULL, 
	handed_in INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_deadlines PRIMARY KEY (source_table, activity_id)
);
INSERT INTO "deadlines" VALUES('kept',7000,'2026-03-02 12:00:00.000000','kept',7000,7000);
CREATE TABLE dialogues (
	zulip_user_id BIGINT NOT NULL, 
	content JSON NOT NULL, 
	asked_at DATETIME NOT NULL, 
	CONSTRAINT pk_dialogues PRIMARY KEY (zulip_user_id)
);
INSERT INTO "dialogues" VALUES(7000,'{}','2026-03-02 12:00:00.000000');
CREATE TABLE exam_durations (
	exam_id BIGINT NOT NULL, 
	minutes INTEGER NOT NULL, 
	CONSTRAINT pk_exam_durations PRIMARY KEY (exam_id)
);
INSERT INTO "exam_durations" VALUES(501,30);
INSERT INTO "exam_durations" VALUES(502,60);
INSERT INTO "exam_durations" VALUES(503,45);
INSERT INTO "exam_durations" VALUES(504,90);
INSERT INTO "exam_durations" VALUES(505,20);
INSERT INTO "exam_durations" VALUES(506,75);
INSERT INTO "exam_durations" VALUES(507,40);
CREATE TABLE facts (
	name VARCHAR(64) NOT NULL, 
	value JSON NOT NULL, 
	noted_at DATETIME NOT NULL, 
	CONSTRAINT pk_facts PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('people_read','true','2026-11-27 17:30:59.671384');
INSERT INTO "facts" VALUES('polled','{"new_events":1,"polls":{"2026-11-27T17":3},"events":{"2026-11-27T17":4}}','2026-11-27 17:31:04.063033');
INSERT INTO "facts" VALUES('found','{"last":"2026-11-27T17:31:04.063033+00:00","days":{"2026-11-27":4}}','2026-11-27 17:31:04.063033');
INSERT INTO "facts" VALUES('days','{"zone":"UTC","turned":{"UTC":"2026-11-27"}}','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('enrolment','true','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('academics','true','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('events_checked',6,'2026-11-27 17:31:04.246406');
INSERT INTO "facts" VALUES('drift_walk','{"day":"2026-11-27","is_over":true,"done":[],"positions":{},"pages":{},"found":{}}','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('classes','true','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('rules','{"since":"2026-11-27T17:30:59.850455+00:00","off":[],"on_since":{}}','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('snapshots','{"zone":"UTC","newest":"2026-11-23","sweeps":[]}','2026-11-27 17:30:59.850455');
INSERT INTO "facts" VALUES('presence',0,'2026-11-27 17:31:02.070438');
INSERT INTO "facts" VALUES('organisation','"127.0.0.1:38319"','2026-11-27 17:31:02.195184');
INSERT INTO "facts" VALUES('organisation_administrators','[17]','2026-11-27 17:31:02.244673');
INSERT INTO "facts" VALUES('zulip_users_read','true','2026-11-27 17:31:02.244673');
CREATE TABLE forgotten_students (
	student_id BIGINT NOT NULL, 
	username_digest VARCHAR(64) NOT NULL, 
	forgotten_at DATETIME NOT NULL, 
	CONSTRAINT pk_forgotten_students PRIMARY KEY (student_id)
);
INSERT INTO "forgotten_students" VALUES(7000,'kept','2026-03-02 12:00:00.000000');
CREATE TABLE hand_mappings (
	mentor_id BIGINT NOT NULL, 
	zulip_user_id BIGINT NOT NULL, 
	mapped_at DATETIME NOT NULL, 
	CONSTRAINT pk_hand_mappings PRIMARY KEY (mentor_id)
);
INSERT INTO "hand_mappings" VALUES(7000,7000,'2026-03-02 12:00:00.000000');
CREATE TABLE lessons (
	lesson_id BIGINT NOT NULL, 
	title TEXT, 
	quiz_source VARCHAR(32), 
	quiz_id BIGINT, 
	CONSTRAINT pk_lessons PRIMARY KEY (lesson_id)
);
INSERT INTO "lessons" VALUES(1101,'Variables and Types',NULL,NULL);
INSERT INTO "lessons" VALUES(1102,'Reading a Traceback',NULL,NULL);
INSERT INTO "lessons" VALUES(1103,'Python Basics Quiz','attempts',501);
INSERT INTO "lessons" VALUES(1201,'Writing Small Functions',NULL,NULL);
INSERT INTO "lessons" VALUES(1202,'Exercises: *args and **kwargs',NULL,NULL);
INSERT INTO "lessons" VALUES(1203,'Functions and Modules Test','attempts',502);
INSERT INTO "lessons" VALUES(2101,'Your First SELECT',NULL,NULL);
INSERT INTO "lessons" VALUES(2102,'WHERE, ORDER BY, LIMIT',NULL,NULL);
INSERT INTO "lessons" VALUES(2103,'SQL SELECT Drill','attempts',503);
INSERT INTO "lessons" VALUES(2201,'Inner and Outer Joins',NULL,NULL);
INSERT INTO "lessons" VALUES(2202,'Sample Database: the Library',NULL,NULL);
INSERT INTO "lessons" VALUES(2203,'Joins Practical','attempts',504);
INSERT INTO "lessons" VALUES(3101,'Headings, Lists & Links',NULL,NULL);
INSERT INTO "lessons" VALUES(3102,'Forms, Step by Step',NULL,NULL);
INSERT INTO "lessons" VALUES(3103,'HTML Checkpoint','attempts',505);
INSERT INTO "lessons" VALUES(3201,'Flexbox in Ten Minutes',NULL,NULL);
INSERT INTO "lessons" VALUES(3202,'Layout Sketches (PDF)',NULL,NULL);
INSERT INTO "lessons" VALUES(3203,'CSS Layout Challenge: Grid & Flexbox','attempts',506);
CREATE TABLE "lms_activity_events" (
	event_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	event_type VARCHAR(32) NOT NULL, 
	student_id BIGINT, 
	student_username TEXT, 
	mentor_id BIGINT, 
	mentor_username TEXT, 
	activity_id BIGINT, 
	activity_title TEXT, 
	activity_metadata JSON NOT NULL, 
	timestamp DATETIME NOT NULL, 
	created_at DATETIME NOT NULL, 
	processed_for_ai BOOLEAN DEFAULT 0 NOT NULL, 
	zulip_user_id BIGINT, 
	source_table VARCHAR(32) NOT NULL, 
	source_id BIGINT NOT NULL, 
	is_current BOOLEAN DEFAULT 1 NOT NULL, 
	is_history BOOLEAN DEFAULT 0 NOT NULL, 
	mirrors BIGINT, 
	fingerprint BIGINT NOT NULL, 
	percentage DOUBLE, 
	course_key TEXT, 
	episode INTEGER DEFAULT '0' NOT NULL, 
	is_withdrawn BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT uq_lms_activity_events_source_table_source_id_episode_event_type UNIQUE (source_table, source_id, episode, event_type)
);
INSERT INTO "lms_activity_events" VALUES(1,'exam_passed',1001,'jane_smith',1,'mary',501,'Python Basics Quiz','{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":1}','2026-01-05 10:00:00.000000','2026-11-27 17:30:59.671384',0,NULL,'attempts',1,1,1,NULL,3339555446708168615,85.0,'python foundations',0,0);
INSERT INTO "lms_activity_events" VALUES(2,'exam_started',1002,'ravi_patel',1,'mary',501,'Python Basics Quiz','{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":null,"course_title":"Python Foundations","attempt_number":1}','2026-01-05 09:00:00.000000','2026-11-27 17:30:59.671384',0,NULL,'attempts',2,0,1,NULL,-9943403463503792,85.0,'python foundations',0,0);
INSERT INTO "lms_activity_events" VALUES(3,'exam_failed',1001,'jane_smith',1,'mary',501,'Python Basics Quiz','{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"fail","course_title":"Python Foundations","attempt_number":2}','2026-11-27 17:31:01.867792','2026-11-27 17:31:01.867792',0,NULL,'attempts',11,1,0,NULL,-4122562440950563261,85.0,'python foundations',0,0);
INSERT INTO "lms_activity_events" VALUES(4,'exam_passed',1002,'ravi_patel',1,'mary',501,'Python Basics Quiz','{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":1}','2026-11-27 17:31:01.867792','2026-11-27 17:31:01.867792',0,NULL,'attempts',2,1,0,NULL,-4932784590060154613,85.0,'python foundations',0,0);
INSERT INTO "lms_activity_events" VALUES(5,'content_watched',1003,'gulnora',1,'mary',1101,'Variables and Types','{"content_type":"video","state":"watched","correct_answers":null,"incorrect_answers":null,"course_title":"Python Foundations","chapter_name":"First Steps","completed_on":null}','2026-11-27 17:31:01.867792','2026-11-27 17:31:01.867792',0,NULL,'content_attempts',12,1,0,NULL,-2807483213576083374,NULL,'python foundations',0,0);
INSERT INTO "lms_activity_events" VALUES(6,'exam_passed',1002,'ravi_patel',1,'mary',501,'Python Basics Quiz','{"score":null,"percentage":85,"time_taken":null,"correct_answers":null,"incorrect_answers":null,"unanswered":null,"percentile":null,"speed":null,"result":"pass","course_title":"Python Foundations","attempt_number":2}','2026-11-27 17:31:04.063033','2026-11-27 17:31:04.063033',0,NULL,'attempts',21,1,0,NULL,-52356499241683992,85.0,'python foundations',0,0);
CREATE TABLE lms_counts (
	student_id BIGINT NOT NULL, 
	source_id BIGINT NOT NULL, 
	day DATE NOT NULL, 
	current_streak INTEGER, 
	highest_streak INTEGER, 
	videos INTEGER, 
	exams INTEGER, 
	downloads INTEGER, 
	conferences INTEGER, 
	CONSTRAINT pk_lms_counts PRIMARY KEY (student_id)
);
INSERT INTO "lms_counts" VALUES(7000,7000,'2026-03-02',7000,7000,7000,7000,7000,7000);
CREATE TABLE "lms_event_logs" (
	log_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	event_id BIGINT NOT NULL, 
	mentor_id BIGINT NOT NULL, 
	due_at DATETIME, 
	notification_sent BOOLEAN DEFAULT 0 NOT NULL, 
	notification_message_id BIGINT, 
	error_message TEXT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	processed_at DATETIME, 
	message_id BIGINT, decision VARCHAR(16), 
	CONSTRAINT fk_lms_event_logs_event_id FOREIGN KEY(event_id) REFERENCES lms_activity_events (event_id), 
	CONSTRAINT uq_lms_event_logs_event_id_mentor_id UNIQUE (event_id, mentor_id), 
	CONSTRAINT fk_lms_event_logs_message_id FOREIGN KEY(message_id) REFERENCES messages (message_id)
);
INSERT INTO "lms_event_logs" VALUES(1,3,1,NULL,1,20,NULL,1,'2026-11-27 17:31:02.296849',1,'at once');
INSERT INTO "lms_event_logs" VALUES(2,4,1,NULL,1,20,NULL,1,'2026-11-27 17:31:02.296849',1,'at once');
INSERT INTO "lms_event_logs" VALUES(3,5,1,NULL,1,20,NULL,1,'2026-11-27 17:31:02.296849',1,'at once');
INSERT INTO "lms_event_logs" VALUES(4,5,2,NULL,1,21,NULL,1,'2026-11-27 17:31:02.310552',2,'at once');
INSERT INTO "lms_event_logs" VALUES(5,6,1,'2026-11-27 17:31:04.063033',0,NULL,NULL,0,NULL,NULL,'at once');
CREATE TABLE mentor_students (
	mentor_id BIGINT NOT NULL, 
	student_id BIGINT NOT NULL, 
	CONSTRAINT pk_mentor_students PRIMARY KEY (mentor_id, student_id)
);
INSERT INTO "mentor_students" VALUES(1,1001);
INSERT INTO "mentor_students" VALUES(1,1002);
INSERT INTO "mentor_students" VALUES(1,1003);
INSERT INTO "mentor_students" VALUES(1,1005);
INSERT INTO "mentor_students" VALUES(2,1003);
INSERT INTO "mentor_students" VALUES(2,1004);
INSERT INTO "mentor_students" VALUES(2,1006);
INSERT INTO "mentor_students" VALUES(3,1008);
INSERT INTO "mentor_students" VALUES(3,1009);
CREATE TABLE mentors (
	mentor_id BIGINT NOT NULL, 
	username TEXT NOT NULL, 
	email TEXT, 
	display_name TEXT, 
	zulip_user_id BIGINT, 
	unmapped_reason TEXT, supervisor_id BIGINT, supervisor_email TEXT, students_count INTEGER, 
	CONSTRAINT pk_mentors PRIMARY KEY (mentor_id)
);
INSERT INTO "mentors" VALUES(1,'mary','mary@example.org','Mary Jones',14,NULL,NULL,NULL,4);
INSERT INTO "mentors" VALUES(2,'omar','omar@example.org','Omar Haddad',15,NULL,1,'mary@example.org',3);
INSERT INTO "mentors" VALUES(3,'lucy','lucy@example.org','Lucy Brown',16,NULL,1,'mary@example.org',2);
CREATE TABLE messages (
	message_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	mentor_id BIGINT, 
	recipient JSON NOT NULL, 
	content TEXT NOT NULL, 
	anchor_id BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	created_at DATETIME NOT NULL, 
	tried_at DATETIME NOT NULL, 
	next_try_at DATETIME, 
	zulip_message_id BIGINT, 
	error TEXT, 
	attachment_name TEXT, 
	attachment BLOB
);
INSERT INTO "messages" VALUES(1,1,'{"user_ids":[14],"stream_id":null,"topic":""}','❌ **Exam Failed**

**Jane Smith** (jane_smith) has failed: **Python Basics Quiz**
📊 **Percentage:** 85% | **Result:** fail
📅 Completed at: <time:2026-11-27T17:31:01Z>

---

🎉 **Exam Passed!**

**Ravi Patel** (ravi_patel) has passed: **Python Basics Quiz**
📊 **Percentage:** 85% | **Result:** pass
🎉 Congratulations to the student!

---

👀 **Content Watched**

**Гульнора Каримова** (gulnora) has watched: **Variables and Types**
📚 **Course:** Python Foundations | **Chapter:** First Steps | **Type:** video
📅 Watched at: <time:2026-11-27T17:31:01Z>

👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me.',19,'sent',0,'2026-11-27 17:31:02.272998','2026-11-27 17:31:02.272998',NULL,20,NULL,NULL,NULL);
INSERT INTO "messages" VALUES(2,2,'{"user_ids":[15],"stream_id":null,"topic":""}','👀 **Content Watched**

**Гульнора Каримова** (gulnora) has watched: **Variables and Types**
📚 **Course:** Python Foundations | **Chapter:** First Steps | **Type:** video
📅 Watched at: <time:2026-11-27T17:31:01Z>

👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me.',20,'sent',0,'2026-11-27 17:31:02.303959','2026-11-27 17:31:02.303959',NULL,21,NULL,NULL,NULL);
CREATE TABLE open_rows (
	source_table VARCHAR(32) NOT NULL, 
	source_id BIGINT NOT NULL, 
	since DATETIME NOT NULL, 
	look_at DATETIME NOT NULL, 
	unknown_state TEXT, 
	CONSTRAINT pk_open_rows PRIMARY KEY (source_table, source_id)
);
INSERT INTO "open_rows" VALUES('attempts',3,'2026-01-05 09:00:00.000000','2026-12-03 17:00:24.928631','suspended');
CREATE TABLE "orders" (
	order_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	work VARCHAR(16) NOT NULL, 
	types JSON NOT NULL, 
	recipient JSON NOT NULL, 
	asked_at DATETIME NOT NULL
);
INSERT INTO "orders" VALUES(7000,'kept','{}','{}','2026-03-02 12:00:00.000000');
CREATE TABLE outdated_snapshots (
	student_id BIGINT NOT NULL, 
	since DATETIME NOT NULL, 
	CONSTRAINT pk_outdated_snapshots PRIMARY KEY (student_id)
);
INSERT INTO "outdated_snapshots" VALUES(7000,'2026-03-02 12:00:00.000000');
CREATE TABLE page_reports (
	report_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	student_id BIGINT NOT NULL, 
	lesson_id BIGINT NOT NULL, 
	stretches JSON NOT NULL, 
	position DOUBLE, 
	seen_at DATETIME, 
	length DOUBLE, 
	length_by DOUBLE NOT NULL, 
	reported DOUBLE NOT NULL, 
	completed_at DATETIME, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT uq_page_reports_student_id_lesson_id UNIQUE (student_id, lesson_id)
);
INSERT INTO "page_reports" VALUES(7000,7000,7000,'{}',1.5,'2026-03-02 12:00:00.000000',1.5,1.5,1.5,'2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000');
CREATE TABLE preferences (
	mentor_id BIGINT NOT NULL, 
	wishes JSON NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_preferences PRIMARY KEY (mentor_id)
);
INSERT INTO "preferences" VALUES(7000,'{}','2026-03-02 12:00:00.000000');
CREATE TABLE "pruned_events" (
	source_table VARCHAR(32) NOT NULL, 
	source_id BIGINT NOT NULL, 
	event_type VARCHAR(32) NOT NULL, 
	fingerprint BIGINT, 
	episode INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_pruned_events PRIMARY KEY (source_table, source_id, episode, event_type)
)
 WITHOUT ROWID

;
INSERT INTO "pruned_events" VALUES('kept',7000,'kept',7000,7000);
CREATE TABLE sign_in_links (
	link_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	secret_hash VARCHAR(64) NOT NULL, 
	zulip_user_id BIGINT NOT NULL, 
	as_admin BOOLEAN NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT uq_sign_in_links_secret_hash UNIQUE (secret_hash)
);
INSERT INTO "sign_in_links" VALUES(7000,'kept',7000,1,'2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000');
CREATE TABLE "streak_marks" (
	mark_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	streak_id BIGINT NOT NULL, 
	milestone INTEGER, 
	CONSTRAINT uq_streak_marks_streak_id_milestone UNIQUE (streak_id, milestone)
);
INSERT INTO "streak_marks" VALUES(7000,7000,7000);
CREATE TABLE streaks (
	streak_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	student_id BIGINT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	first_day DATE NOT NULL, 
	last_day DATE NOT NULL, 
	days INTEGER NOT NULL, 
	CONSTRAINT uq_streaks_student_id_kind_last_day UNIQUE (student_id, kind, last_day)
);
INSERT INTO "streaks" VALUES(1,1001,'presence','2026-01-05','2026-01-05',1);
INSERT INTO "streaks" VALUES(2,1001,'learning','2026-01-05','2026-01-05',1);
INSERT INTO "streaks" VALUES(3,1002,'presence','2026-01-05','2026-01-05',1);
INSERT INTO "streaks" VALUES(4,1001,'presence','2026-11-27','2026-11-27',1);
INSERT INTO "streaks" VALUES(5,1001,'learning','2026-11-27','2026-11-27',1);
INSERT INTO "streaks" VALUES(6,1002,'presence','2026-11-27','2026-11-27',1);
INSERT INTO "streaks" VALUES(7,1002,'learning','2026-11-27','2026-11-27',1);
INSERT INTO "streaks" VALUES(8,1003,'presence','2026-11-27','2026-11-27',1);
INSERT INTO "streaks" VALUES(9,1003,'learning','2026-11-27','2026-11-27',1);
CREATE TABLE student_academic_snapshots (
	student_id BIGINT NOT NULL, 
	snapshot_date DATE NOT NULL, 
	total_exams_taken INTEGER NOT NULL, 
	average_score DOUBLE, 
	videos_watched INTEGER NOT NULL, 
	streak_count INTEGER NOT NULL, 
	subject_scores JSON NOT NULL, 
	CONSTRAINT pk_student_academic_snapshots PRIMARY KEY (student_id, snapshot_date)
);
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-11-23',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1003,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1004,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1005,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1006,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1007,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1008,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1009,'2026-11-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-11-16',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-11-09',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-11-02',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-10-26',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-10-19',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-10-12',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-10-05',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-09-28',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-09-21',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-09-14',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-09-07',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-08-31',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-08-24',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-08-17',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-08-10',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-08-03',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-07-27',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-07-20',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-07-13',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-07-06',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-06-29',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-06-22',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-06-15',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-06-08',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-06-01',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-05-25',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-05-18',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-05-11',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-05-04',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-04-27',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-04-20',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-04-13',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-04-06',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-03-30',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-03-23',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-03-16',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-03-09',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-03-02',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-02-23',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-02-16',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-02-09',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-02-02',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-01-26',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-01-19',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1001,'2026-01-12',1,85.0,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-11-16',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-11-09',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-11-02',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-10-26',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-10-19',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-10-12',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-10-05',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-09-28',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-09-21',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-09-14',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-09-07',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-08-31',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-08-24',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-08-17',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-08-10',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-08-03',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-07-27',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-07-20',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-07-13',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-07-06',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-06-29',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-06-22',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-06-15',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-06-08',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-06-01',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-05-25',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-05-18',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-05-11',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-05-04',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-04-27',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-04-20',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-04-13',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-04-06',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-03-30',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-03-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-03-16',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-03-09',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-03-02',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-02-23',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-02-16',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-02-09',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-02-02',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-01-26',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-01-19',0,NULL,0,0,'{}');
INSERT INTO "student_academic_snapshots" VALUES(1002,'2026-01-12',0,NULL,0,0,'{}');
CREATE TABLE "student_alerts" (
	alert_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	rule VARCHAR(16) NOT NULL, 
	mentor_id BIGINT NOT NULL, 
	student_id BIGINT NOT NULL, 
	subject_id BIGINT NOT NULL, 
	title TEXT, 
	level INTEGER NOT NULL, 
	numbers JSON NOT NULL, 
	since DATETIME NOT NULL, 
	until DATETIME, 
	opened_at DATETIME NOT NULL, 
	tell_at DATETIME, 
	untold VARCHAR(16), 
	told_at DATETIME, 
	remind_at DATETIME, 
	snoozed_until DATETIME, 
	taken_at DATETIME, 
	taken_by BIGINT, 
	closed_at DATETIME, 
	outcome VARCHAR(16), 
	note TEXT, 
	name VARCHAR(16) NOT NULL, 
	former_name VARCHAR(16), 
	CONSTRAINT uq_student_alerts_mentor_id_former_name UNIQUE (mentor_id, former_name)
);
INSERT INTO "student_alerts" VALUES(1,'inactive',1,1001,0,NULL,3,'{"last":"2026-01-05T10:00:00+00:00","usual_gap":null,"allowed":5.0,"passing":true}','2026-01-16 10:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,'2026-11-27 17:31:02.070438','over',NULL,'MM6111',NULL);
INSERT INTO "student_alerts" VALUES(2,'inactive',1,1002,0,NULL,3,'{"last":"2026-01-05T09:00:00+00:00","usual_gap":null,"allowed":5.0,"passing":true}','2026-01-16 09:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,'2026-11-27 17:31:02.070438','over',NULL,'HX7080',NULL);
INSERT INTO "student_alerts" VALUES(3,'never_started',1,1003,0,NULL,2,'{"enrolled":"2025-09-01T08:10:00+00:00"}','2025-09-06 08:10:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,'2026-11-27 17:31:02.070438','over',NULL,'TB1209',NULL);
INSERT INTO "student_alerts" VALUES(4,'never_started',2,1003,0,NULL,2,'{"enrolled":"2025-09-01T08:10:00+00:00"}','2025-09-06 08:10:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,'2026-11-27 17:31:02.070438','over',NULL,'TB1209',NULL);
INSERT INTO "student_alerts" VALUES(5,'never_started',2,1004,0,NULL,2,'{"enrolled":"2025-09-02T08:00:00+00:00"}','2025-09-07 08:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'PB5238',NULL);
INSERT INTO "student_alerts" VALUES(6,'never_started',1,1005,0,NULL,2,'{"enrolled":"2025-09-02T08:00:00+00:00"}','2025-09-07 08:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'BC9085',NULL);
INSERT INTO "student_alerts" VALUES(7,'never_started',2,1006,0,NULL,2,'{"enrolled":"2025-09-03T08:00:00+00:00"}','2025-09-08 08:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'HM4595',NULL);
INSERT INTO "student_alerts" VALUES(8,'never_started',3,1008,0,NULL,2,'{"enrolled":"2025-09-04T08:00:00+00:00"}','2025-09-09 08:00:00.000000',NULL,'2026-11-27 17:30:59.850455',NULL,'baseline',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'PK7400',NULL);
CREATE TABLE student_days (
	student_id BIGINT NOT NULL, 
	day DATE NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	is_learned BOOLEAN NOT NULL, 
	in_lms BOOLEAN NOT NULL, 
	CONSTRAINT pk_student_days PRIMARY KEY (student_id, day)
);
INSERT INTO "student_days" VALUES(1001,'2026-01-05',1,1,0);
INSERT INTO "student_days" VALUES(1002,'2026-01-05',1,0,0);
INSERT INTO "student_days" VALUES(1001,'2026-11-27',1,1,0);
INSERT INTO "student_days" VALUES(1002,'2026-11-27',1,1,0);
INSERT INTO "student_days" VALUES(1003,'2026-11-27',1,1,0);
CREATE TABLE student_zones (
	student_id BIGINT NOT NULL, 
	zone VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_student_zones PRIMARY KEY (student_id)
);
INSERT INTO "student_zones" VALUES(7000,'kept');
CREATE TABLE students (
	student_id BIGINT NOT NULL, 
	username TEXT NOT NULL, 
	email TEXT, 
	display_name TEXT, 
	is_active BOOLEAN NOT NULL, 
	zulip_user_id BIGINT, 
	CONSTRAINT pk_students PRIMARY KEY (student_id)
);
INSERT INTO "students" VALUES(1001,'jane_smith','jane.smith@example.org','Jane Smith',1,NULL);
INSERT INTO "students" VALUES(1002,'ravi_patel','ravi.patel@example.org','Ravi Patel',1,NULL);
INSERT INTO "students" VALUES(1003,'gulnora','gulnora@example.org','Гульнора Каримова',1,NULL);
INSERT INTO "students" VALUES(1004,'obrien','sean.obrien@example.org','Sean O''Brien',1,NULL);
INSERT INTO "students" VALUES(1005,'john_doe','john.doe@example.org','John Doe',1,NULL);
INSERT INTO "students" VALUES(1006,'mei_lin','mei.lin@example.org','Mei Lin',1,NULL);
INSERT INTO "students" VALUES(1007,'sofia_rossi',NULL,'Sofia Rossi',1,NULL);
INSERT INTO "students" VALUES(1008,'kwame_mensah','kwame.mensah@example.org','Kwame Mensah',1,NULL);
INSERT INTO "students" VALUES(1009,'lena_vogel','lena.vogel@example.org','Lena Vogel',0,NULL);
CREATE TABLE sync_conflicts (
	source_table VARCHAR(32) NOT NULL, 
	source_id BIGINT NOT NULL, 
	problem VARCHAR(32) NOT NULL, 
	"row" JSON NOT NULL, 
	found_at DATETIME NOT NULL, 
	CONSTRAINT pk_sync_conflicts PRIMARY KEY (source_table, source_id, problem)
);
INSERT INTO "sync_conflicts" VALUES('kept',7000,'kept','{}','2026-03-02 12:00:00.000000');
CREATE TABLE watched_students (
	student_id BIGINT NOT NULL, 
	enrolled_at DATETIME, 
	look_at DATETIME, 
	CONSTRAINT pk_watched_students PRIMARY KEY (student_id)
);
INSERT INTO "watched_students" VALUES(1001,'2025-09-01 08:00:00.000000','2026-12-02 17:31:01.867792');
INSERT INTO "watched_students" VALUES(1002,'2025-09-01 08:05:00.000000','2026-12-02 17:31:04.063033');
INSERT INTO "watched_students" VALUES(1003,'2025-09-01 08:10:00.000000','2026-12-02 17:31:01.867792');
INSERT INTO "watched_students" VALUES(1004,'2025-09-02 08:00:00.000000',NULL);
INSERT INTO "watched_students" VALUES(1005,'2025-09-02 08:00:00.000000',NULL);
INSERT INTO "watched_students" VALUES(1006,'2025-09-03 08:00:00.000000',NULL);
INSERT INTO "watched_students" VALUES(1007,'2025-09-03 08:00:00.000000',NULL);
INSERT INTO "watched_students" VALUES(1008,'2025-09-04 08:00:00.000000',NULL);
INSERT INTO "watched_students" VALUES(1009,NULL,NULL);
CREATE TABLE web_sessions (
	session_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	secret_hash VARCHAR(64) NOT NULL, 
	zulip_user_id BIGINT NOT NULL, 
	as_admin BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT uq_web_sessions_secret_hash UNIQUE (secret_hash)
);
INSERT INTO "web_sessions" VALUES(7000,'kept',7000,1,'2026-03-02 12:00:00.000000','2026-03-02 12:00:00.000000');
CREATE TABLE zulip_users (
	user_id BIGINT NOT NULL, 
	full_name TEXT NOT NULL, 
	email TEXT, 
	is_active BOOLEAN NOT NULL, 
	is_bot BOOLEAN NOT NULL, 
	is_guest BOOLEAN NOT NULL, 
	timezone TEXT NOT NULL, 
	CONSTRAINT pk_zulip_users PRIMARY KEY (user_id)
);
INSERT INTO "zulip_users" VALUES(13,'LMS Bot','lms-bot@zulip.example.com',1,1,0,'');
INSERT INTO "zulip_users" VALUES(14,'Mary Jones','mary@example.org',1,0,0,'');
INSERT INTO "zulip_users" VALUES(15,'Omar Haddad','omar@example.org',1,0,0,'');
INSERT INTO "zulip_users" VALUES(16,'Lucy Brown','lucy@example.org',1,0,0,'');
INSERT INTO "zulip_users" VALUES(17,'Ada Admin','ada@example.org',1,0,0,'');
INSERT INTO "zulip_users" VALUES(18,'Eve Stranger','eve@example.org',1,0,0,'');
CREATE INDEX ix_mentor_students_student_id ON mentor_students (student_id);
CREATE INDEX ix_mentors_zulip_user_id ON mentors (zulip_user_id);
CREATE INDEX ix_messages_unsettled ON messages (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX ix_messages_created_at ON messages (created_at);
CREATE INDEX ix_messages_mentor_id ON messages (mentor_id);
CREATE INDEX ix_messages_zulip_message_id ON messages (zulip_message_id);
CREATE UNIQUE INDEX uq_messages_unsettled_mentor ON messages (mentor_id) WHERE next_try_at IS NOT NULL;
CREATE INDEX ix_open_rows_source_table_look_at ON open_rows (source_table, look_at);
CREATE INDEX ix_students_username ON students (username);
CREATE INDEX ix_students_zulip_user_id ON students (zulip_user_id);
CREATE INDEX ix_streaks_kind_last_day ON streaks (kind, last_day);
CREATE INDEX ix_alert_reminders_alert_id ON alert_reminders (alert_id);
CREATE INDEX ix_watched_students_look_at ON watched_students (look_at);
CREATE INDEX ix_lms_event_logs_due ON lms_event_logs (mentor_id, due_at, event_id) WHERE due_at IS NOT NULL;
CREATE INDEX ix_lms_event_logs_sent ON lms_event_logs (mentor_id, event_id) WHERE notification_sent = 1;
CREATE INDEX ix_lms_event_logs_message_id ON lms_event_logs (message_id);
CREATE INDEX ix_lms_event_logs_errors ON lms_event_logs (mentor_id, event_id) WHERE notification_sent = 0 AND error_message IS NOT NULL;
CREATE INDEX ix_lms_activity_events_unprocessed ON lms_activity_events (event_id) WHERE processed_for_ai = 0;
CREATE INDEX ix_lms_activity_events_exams ON lms_activity_events (student_id, activity_id, source_table, source_id) WHERE event_type > 'exam' AND event_type < 'exan' AND is_current = 1;
CREATE INDEX ix_lms_activity_events_nobodys ON lms_activity_events (student_id) WHERE mentor_id IS NULL AND is_history = 0;
CREATE INDEX ix_lms_activity_events_students ON lms_activity_events (student_id, timestamp, event_id, event_type, is_current, mirrors, percentage, course_key, is_withdrawn);
CREATE INDEX ix_student_alerts_remind ON student_alerts (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX ix_student_alerts_student_id_closed_at ON student_alerts (student_id, closed_at);
CREATE UNIQUE INDEX uq_student_alerts_open ON student_alerts (mentor_id, student_id, rule, subject_id) WHERE closed_at IS NULL;
CREATE INDEX ix_student_alerts_tell ON student_alerts (tell_at) WHERE tell_at IS NOT NULL;
CREATE INDEX ix_student_alerts_mentor_id_told_at ON student_alerts (mentor_id, told_at);
CREATE INDEX ix_student_alerts_until ON student_alerts (until) WHERE closed_at IS NULL;
CREATE INDEX ix_student_alerts_name ON student_alerts (name);
CREATE INDEX ix_student_alerts_rule ON student_alerts (rule, alert_id) WHERE closed_at IS NULL;
CREATE INDEX ix_attempt_results_attempt_id_exam_source ON attempt_results (attempt_id, exam_source);
CREATE INDEX ix_batch_students_student_id ON batch_students (student_id);
CREATE INDEX ix_course_batches_batch_id ON course_batches (batch_id);
CREATE INDEX ix_course_items_source_table_activity_id ON course_items (source_table, activity_id);
CREATE INDEX ix_course_students_student_id ON course_students (student_id);
CREATE INDEX ix_student_academic_snapshots_snapshot_date ON student_academic_snapshots (snapshot_date);
CREATE INDEX ix_lms_activity_events_results ON lms_activity_events (activity_id, source_table, student_id, percentage, event_type, is_current, is_withdrawn) WHERE event_type > 'exam' AND event_type < 'exam_q' AND is_current = 1 AND is_withdrawn = 0 AND percentage IS NOT NULL;
CREATE INDEX ix_api_audit_student_id ON api_audit (student_id);
CREATE INDEX ix_lms_activity_events_newest ON lms_activity_events (timestamp, event_id, event_type) WHERE mirrors IS NULL AND is_withdrawn IS 0;
CREATE INDEX ix_sign_in_links_zulip_user_id ON sign_in_links (zulip_user_id);
CREATE INDEX ix_web_sessions_zulip_user_id ON web_sessions (zulip_user_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',7000);
INSERT INTO "sqlite_sequence" VALUES('orders',7000);
INSERT INTO "sqlite_sequence" VALUES('streak_marks',7000);
INSERT INTO "sqlite_sequence" VALUES('lms_event_logs',5);
INSERT INTO "sqlite_sequence" VALUES('lms_activity_events',6);
INSERT INTO "sqlite_sequence" VALUES('student_alerts',8);
INSERT INTO "sqlite_sequence" VALUES('streaks',9);
INSERT INTO "sqlite_sequence" VALUES('messages',2);
INSERT INTO "sqlite_sequence" VALUES('alert_reminders',7000);
INSERT INTO "sqlite_sequence" VALUES('api_audit',7000);
INSERT INTO "sqlite_sequence" VALUES('api_tokens',7000);
INSERT INTO "sqlite_sequence" VALUES('page_reports',7000);
INSERT INTO "sqlite_sequence" VALUES('sign_in_links',7000);
INSERT INTO "sqlite_sequence" VALUES('web_sessions',7000);
COMMIT;
