"""What is known of studies beside events: kept in sync with the LMS, and how it was week by week."""
