import gc

from aftercart.lib.garbage import collecting_rarely


def test_garbage_is_collected_as_before_once_the_work_is_done() -> None:
    before = gc.get_threshold()

    with collecting_rarely():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
