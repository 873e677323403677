# SPDX-License-Identifier: Apache-2.0
"""Every fault of the lab: the class, its phase, which times there are, and no second too late."""
import json
import subprocess

import pytest

from tests.lab import agent, certs
from tests.lab.faults import FAULTS, Site

LATE = 0.25  # seconds after the time-out, at most


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return certs.make(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="module")
def phases():
    shown = subprocess.run([agent.binary(), "explain", "--all", "--json"], capture_output=True, text=True,
                           timeout=30, check=True)
    return {row["name"]: row["phase"] for row in json.loads(shown.stdout)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.scheme}: {fault.name}")
def test_fault(fault, certificates, phases, tmp_path):
    with fault.stand(Site(tmp_path, certificates)) as stage:
        config = tmp_path / "agent.toml"
        config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["{stage.url}"]\n{stage.keys}\n{stage.tables}')
        for path in (config, *config.parents[:3]):  # whoever is to read it
            path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else 0o644)
        result, status = agent.probe("lab", f"--config.file={config}", prefix=stage.prefix,
                                     timeout=f"{stage.timeout}s")
    assert (result["error_class"], result["phase"]) == (fault.error_class, phases[fault.error_class]), result
    assert set(result["timings"]) == fault.timed | {"total"}, result
    assert result["timings"]["total"] <= stage.timeout + LATE, result
    assert (status, result["success"]) == ((0, True) if fault.error_class == "slow_response" else (1, False))
