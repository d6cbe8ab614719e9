"""The Omnitron sandbox: a back office to develop, demonstrate and test against.

A server of its own with its own durable store. It knows nothing of Aftercart's code: what it speaks is
section 8 of the contract, and everything that only a test may do (load orders, decide, inject faults, read
the ledger) stands under ``/sandbox/``. Start it with ``python -m aftercart_sandbox --help``.
"""
