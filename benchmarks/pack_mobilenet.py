"""Makes reelflow/backbones/mobilenet_025.npz from the weights file of Keras Applications.

python -m benchmarks.pack_mobilenet mobilenet_2_5_224_tf_no_top.h5
"""

from __future__ import annotations

import sys

import numpy as np

from reelflow.backbones import PACKED


def main() -> None:
    import keras

    model = keras.applications.MobileNet(
        (224, 224, 3), alpha=0.25, include_top=False, weights=sys.argv[1]
    )
    weights = {weight.path: np.asarray(weight, np.float16) for weight in model.weights}
    np.savez_compressed(PACKED, **weights)
    print(
        f"{PACKED}: {sum(map(np.size, weights.values())):,} numbers, {PACKED.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
