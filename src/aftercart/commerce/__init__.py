"""The shop's commerce backend: who its sessions belong to, and its customers' addresses. The only user of its API."""
