"""Layers, loss, optimizer and random numbers together: a whole training as one traced program."""

from __future__ import annotations

import numpy as np

from minicolumn import nn, optim, random


def test_a_network_learns_exclusive_or_inside_one_scan():
    import minicolumn as mc

    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    labels = np.array([0, 1, 1, 0], np.int32)
    net = nn.Sequential(nn.Scale(), nn.Dense(16, activation="tanh"), nn.Dropout(0.1), nn.Dense(2))
    adam = optim.Adam(0.05)
    params = net.init(0, (2,))

    def objective(params, key):
        return nn.LOSSES["softmax_cross_entropy"].function(
            net.apply(params, x, key=key, training=True), labels
        )

    def train(params, moments, key, rates):
        def step(state, rate):
            params, moments = state
            own = random.fold_in(key, moments["count"])
            loss, grads = mc.value_and_grad(objective)(params, own)
            updates, moments = adam.step(grads, moments, params, rate)
            return (optim.apply_updates(params, updates), moments), loss

        return mc.scan(step, (params, moments), rates)

    steps = 200
    rates = (adam.learning_rate * optim.Cosine()(np.arange(steps), steps)).astype(np.float32)
    (trained, moments), losses = mc.compile(train)(
        params, adam.start(params), random.stream(0, "dropout"), rates
    )
    assert losses.dtype == np.float32
    assert int(moments["count"]) == steps
    np.testing.assert_array_equal(net.apply(trained, x).argmax(axis=1), labels)
    assert losses[-20:].mean() < 0.05 < losses[:20].mean()
