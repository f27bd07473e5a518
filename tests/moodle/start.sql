-- The site when it was set up: nobody has done anything.

INSERT INTO public.mdl_modules VALUES
	(1, 'assign'),
	(2, 'page'),
	(3, 'quiz');

INSERT INTO public.mdl_course VALUES
	(1, 'Front page', 1),
	(2, '<span lang="en" class="multilang">Algebra</span><span lang="es" class="multilang">Álgebra</span>', 1),
	(3, 'Physics &amp; Motion', 1);

INSERT INTO public.mdl_role VALUES
	(1, 'editingteacher'),
	(2, 'student'),
	(3, '');

INSERT INTO public.mdl_context VALUES
	(5, 10, 0, '/5'),
	(6, 40, 1, '/5/6'),
	(10, 50, 2, '/5/6/10'),
	(11, 50, 3, '/5/6/11'),
	(20, 30, 101, '/5/20'),
	(21, 30, 102, '/5/21');

INSERT INTO public.mdl_enrol VALUES
	(1, 2, 0),
	(2, 3, 0);

INSERT INTO public.mdl_user VALUES
	(1, 'guest', 'root@localhost', 'Guest', 'user', 0, 0, 0),
	(50, 'tess', 'tess@school.example', 'Tess', 'Teacher', 0, 0, 0),
	(60, 'mara', 'mara@school.example', 'Mara', 'Mentor', 0, 0, 0),
	(101, 'ann', 'ann@school.example', 'Ann', 'Ames', 0, 0, 0),
	(102, 'bo', 'bo@school.example', 'Bo', 'Berg', 0, 0, 0),
	(103, 'cy', '5d41402abc4b2a76b9719d911017c592', 'Cy', 'Gone', 1, 0, 0);

INSERT INTO public.mdl_role_assignments VALUES
	(1, 1, 10, 50),
	(2, 2, 10, 101),
	(3, 2, 10, 102),
	(4, 3, 20, 60),
	(5, 2, 11, 101);

INSERT INTO public.mdl_user_enrolments VALUES
	(1, 1, 101, 0, 1787408000, 0, 1787408000),
	(2, 1, 102, 0, 1787408000, 0, 1787408000),
	(3, 2, 101, 0, 1787408000, 0, 1787408000);

INSERT INTO public.mdl_groups VALUES
	(1, 2);

INSERT INTO public.mdl_groups_members VALUES
	(1, 1, 50),
	(2, 1, 102);

INSERT INTO public.mdl_quiz VALUES
	(1, 2, 'Linear equations', 5, 10, 1800, 0),
	(2, 2, 'Mock <b>test</b>', 5, 10, 0, 0);

INSERT INTO public.mdl_grade_items VALUES
	(1, 'mod', 'quiz', 1, 0, 6, 0),
	(2, 'mod', 'quiz', 2, 0, 0, 0),
	(3, 'mod', 'assign', 1, 0, 50, 0);

INSERT INTO public.mdl_assign VALUES
	(1, 2, 'Homework 1', 100, 1790777600, 0);

INSERT INTO public.mdl_page VALUES
	(1, 'Read this');

INSERT INTO public.mdl_course_sections VALUES
	(1, NULL, 0, 1);

INSERT INTO public.mdl_course_modules VALUES
	(1, 2, 3, 1, 1, 1, 0),
	(2, 2, 3, 2, 1, 1, 0),
	(3, 2, 1, 1, 1, 1, 0),
	(4, 2, 2, 1, 1, 1, 1);

INSERT INTO public.mdl_badge VALUES
	(1, 'Helper', 2);
