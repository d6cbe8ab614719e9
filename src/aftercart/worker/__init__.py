"""Procrastinate tasks and schedules."""
