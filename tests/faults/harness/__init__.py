"""Aftercart under fire: real processes, thousands of submissions, faults and kills, then the books.

    python -m tests.faults.harness --minutes 10 --seed 1      (or: make faults MINUTES=10 SEED=1)

cluster   the processes: PostgreSQL, two web servers, two workers, the Omnitron sandbox
sandbox   the sandbox's controls and its API
stock     customers and orders, made in bulk on both sides
customers what customers do, and the journal of what they were answered
staff     what both back offices decide
chaos     what goes wrong, and when
quiesce   waiting until nothing is under way any more
books     both sides' books, read; guarantees, agreement, logs: the checks
trial     one run from start to end; report: its table
mutations faults put into Aftercart on purpose, to show that the checks can fail
"""
