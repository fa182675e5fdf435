"""pyarrow's file system for an address, with credentials from the environment."""

from __future__ import annotations

import functools
import os
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from ingest.storage.address import StorageAddress
from ingest.storage.errors import StorageError, plain_error
from rag.errors import SettingsError

# Seconds. A storage that doesn't answer is reported within a minute, after all attempts.
_CONNECT_SECONDS = 5.0
_REQUEST_SECONDS = 20.0
_ATTEMPTS = 3
_YES = frozenset({"1", "true", "yes", "on"})


def open_system(address: StorageAddress) -> tuple[Any, str]:
    """Return the file system that an address is on, and the path of the address in it.

    Raises:
        StorageError: It can't be opened.
        SettingsError: A variable of the environment is malformed.
    """
    environment = _environment(address.scheme)
    try:
        system = _open(address.scheme, address.authority, environment)
    except Exception as error:  # pyarrow's, of many classes
        raise plain_error(error) from None
    if address.scheme == "hdfs":
        return system, f"/{address.path}"
    container = address.authority.partition("@")[0]
    return system, f"{container}/{address.path}".removesuffix("/")


def _environment(scheme: str) -> tuple[str, ...]:
    """Return what distinguishes the file systems of a scheme, besides credentials."""
    if scheme == "s3":
        endpoint = _variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        region = _variable("AWS_REGION", "AWS_DEFAULT_REGION")
        return _checked_endpoint(endpoint), region, _variable("AWS_NO_SIGN_REQUEST").lower()
    if scheme == "gs":
        return (_variable("GS_NO_SIGN_REQUEST").lower(),)
    return (_variable("AZURE_STORAGE_ACCOUNT"),) if scheme == "abfs" else ()


def _variable(*names: str) -> str:
    return next((found for name in names if (found := os.environ.get(name, "").strip())), "")


def _checked_endpoint(url: str) -> str:
    """Check the address of an S3 server; the message doesn't contain it: it may have a password."""
    if url and not re.fullmatch(r"(?i)https?://[A-Za-z0-9.\[\]:-]{1,255}/?", url):
        raise SettingsError("AWS_ENDPOINT_URL is malformed: write it as https://HOST:PORT.")
    return url


@functools.lru_cache(maxsize=16)
def _open(scheme: str, authority: str, environment: tuple[str, ...]) -> Any:
    if scheme == "s3":
        return _open_s3(authority, *environment)
    from pyarrow import fs  # 0.4 s: only for an address of a storage

    if scheme == "gs":
        return fs.GcsFileSystem(
            anonymous=environment[0] in _YES, retry_time_limit=timedelta(seconds=_REQUEST_SECONDS)
        )
    if scheme == "abfs":
        return _open_azure(authority, *environment)
    user, _, server = authority.rpartition("@")
    host, _, port = server.partition(":")
    return fs.HadoopFileSystem(host or "default", int(port or 0), user=user or None)


def _open_s3(bucket: str, endpoint: str, region: str, unsigned: str) -> Any:
    from pyarrow import fs

    options: dict[str, Any] = {}
    if endpoint:
        parts = urlsplit(endpoint)
        options = {"endpoint_override": parts.netloc, "scheme": parts.scheme.lower()}
    if unsigned in _YES:
        options["anonymous"] = True
    return fs.S3FileSystem(
        region=region or ("us-east-1" if endpoint else fs.resolve_s3_region(bucket)),
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        **options,
    )


def _open_azure(authority: str, account: str) -> Any:
    from pyarrow import fs

    _, _, host = authority.partition("@")
    account, _, suffix = host.partition(".") if host else (account, "", "")
    if not account:
        raise StorageError(
            "the storage account is unknown: write abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/, "
            "or set AZURE_STORAGE_ACCOUNT"
        )
    options: dict[str, Any] = {}
    if suffix:
        cloud = suffix.partition(".")[2]
        options = {"blob_storage_authority": f".blob.{cloud}"}
        options["dfs_storage_authority"] = f".dfs.{cloud}"
    if key := _variable("AZURE_STORAGE_KEY"):
        options["account_key"] = key
    elif token := _variable("AZURE_STORAGE_SAS_TOKEN"):
        options["sas_token"] = token if token.startswith("?") else f"?{token}"
    return fs.AzureFileSystem(account, **options)
