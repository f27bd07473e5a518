-- The database in which lms_bot keeps its events, and the role that owns it; never in the database of the LMS.
-- Run it as a superuser, once:
--
--     psql -v ON_ERROR_STOP=1 -d postgres -f deploy/postgresql-store.sql
--     psql -d postgres -c '\password lms_bot_store'
--
-- The bot makes its tables itself when it starts.

CREATE ROLE lms_bot_store LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE DATABASE lms_bot OWNER lms_bot_store TEMPLATE template0 ENCODING 'UTF8';

-- Names and results of students are in it: nobody else connects.
REVOKE ALL ON DATABASE lms_bot FROM PUBLIC;
GRANT ALL ON DATABASE lms_bot TO lms_bot_store;

-- Since PostgreSQL 15 the owner of a database may make tables in it; before, everybody may.
\connect lms_bot
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO lms_bot_store;
