"""What a job will do, known before anything runs."""
