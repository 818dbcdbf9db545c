"""Durable jobs, and what happens on a schedule.

receipts: the worker that makes receipts: slow hashing in threads
scheduler: periodic work of the process that holds the lease (APScheduler ticks)
worker: claims due jobs, a lane for each kind and channel; base of both workers
"""
