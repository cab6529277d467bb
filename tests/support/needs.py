"""What a test needs that not every machine has."""

import pytest

from tests.support.vendor_samples import FOLDER

needs_samples = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no samples in {FOLDER}: set CRM_PAYLOADS")
