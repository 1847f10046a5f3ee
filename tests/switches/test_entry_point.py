from __future__ import annotations

import pytest

from harness.core import registry
from harness.core.traffic import Shares
from harness.errors import ConfigError, SwitchError

ROUTER = """
class Router:
    mirror_limit = 20

    def __init__(self, cluster):
        self.cluster = cluster
        self.split = {"source": 100, "target": 0, "mirror": 0}

    def read(self):
        if self.cluster == "broken":
            raise OSError("no route to host")
        return self.split

    def set(self, source, target, mirror):
        self.split = {"source": source, "target": target, "mirror": mirror}


def nothing():
    return object()
"""


@pytest.fixture
def build(tmp_path):
    (tmp_path / "own_router.py").write_text(ROUTER)

    def make(call="own_router:Router", **options):
        return registry.load("switches", "entry_point", folder=tmp_path, call=call, options=options)

    return make


def test_an_object_of_the_users_own_moves_the_traffic(build):
    made = build(cluster="eu")
    assert made.mirror_limit == 20
    made.set(Shares.of(0, mirror=20))
    assert made.read() == Shares.of(0, mirror=20)


def test_whatever_it_raises_is_a_failed_switch(build):
    with pytest.raises(SwitchError, match=r"own_router:Router: read\(\) failed \(OSError: no route to host\)"):
        build(cluster="broken").read()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("own_router", 'written "module:callable"'),
        ("own_router:Ruter", 'Did you mean "Router"'),
        ("no_such_module:make", "No module named"),
        ("own_router:nothing", r"no read\(\) and set"),
        ("own_router:Router", "cannot be made"),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(build, call, said):
    with pytest.raises(ConfigError, match=said):
        build(call)
