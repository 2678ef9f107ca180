"""Celery workers: the app, its tasks, and the pulse that finds work no message told of."""
