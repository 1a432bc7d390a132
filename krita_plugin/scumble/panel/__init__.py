"""The docker's widgets. They hold little logic: settings in, a job's state out."""
