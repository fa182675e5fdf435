"""Clusters: real ones on this machine make the archive that one process makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import batching, preparers
from ingest.clusters import ClusterAddress, ClusterError, open_cluster
from rag.errors import SettingsError
from rag.settings import Settings
from tests.ingest.test_workers import assert_same, mixed_records, record, run, write_lines
