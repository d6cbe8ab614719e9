"""Where photos are kept, as Django's `STORAGES` has it: a folder, or a bucket of an S3-compatible storage."""

from pathlib import Path
from typing import Any, Final

#: Seconds to wait for a connection to a bucket, and for its answer: a customer is waiting too.
_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 10


def describe_photo_storage(folder: Path, bucket: str, address: str) -> dict[str, Any]:
    """Describe the storage. The same name is written over: only the same photo has it."""
    if not bucket:
        options = {
            "location": folder,
            "allow_overwrite": True,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        }
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    from botocore.config import Config  # the extra `s3`

    patience = Config(
        connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 2}
    )
    options = {
        "bucket_name": bucket,
        "endpoint_url": address or None,
        "file_overwrite": True,
        "client_config": patience,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
