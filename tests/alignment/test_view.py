"""A picture as it is compared: how much memory it holds at most."""

import numpy as np

from app.alignment import VIEW_BYTES, VIEW_PX, View


def test_a_view_with_all_that_is_derived_from_it_takes_no_more_than_is_counted():
    """Noise has more keypoints than are kept."""
    noise = np.random.default_rng(1).integers(0, 256, (VIEW_PX, VIEW_PX, 3), np.uint8)
    view = View(noise)
    derived = [view.rgb, view.grey, *view.keypoints, *view.mirrored_keypoints]
    taken = sum(array.nbytes for array in derived)
    assert 0.95 * VIEW_BYTES < taken <= VIEW_BYTES
