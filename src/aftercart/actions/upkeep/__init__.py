"""What keeps everything going: jobs, recovery, retention, keys."""
