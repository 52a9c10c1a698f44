"""Permutation importance of an estimator's features, by scikit-learn: how much worse without each of them.

importance(feature) = R2 - R2 after that column of the held-out rows was shuffled, mean over the repeats
"""

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minicolumn as mc


def main() -> dict[str, float]:
    """Learn a function in which two of four features count; print and return their importances."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (800, 4))
    y = 2.0 * X[:, 0] ** 2 + np.sin(2.0 * X[:, 2]) + 0.05 * rng.standard_normal(800)
    X_train, X_held, y_train, y_held = train_test_split(X, y, random_state=0)
    network = mc.MLPRegressor(
        hidden_layer_sizes=(16,), activation="tanh", solver="lbfgs", alpha=0.1, max_iter=3000, random_state=0
    )
    model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
    print(f"R2 on held-out rows {model.score(X_held, y_held):.3f}")
    found = permutation_importance(model, X_held, y_held, n_repeats=10, random_state=0)
    importances = dict(zip("abcd", found.importances_mean.tolist(), strict=True))
    for name, importance in importances.items():
        print(f"{name}  {importance:6.3f}  {'#' * max(round(20 * importance), 0)}")
    return importances


if __name__ == "__main__":
    main()
