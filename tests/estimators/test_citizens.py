"""scikit-learn's world: pipelines, searches, joblib, pickles, tables, sparse rows, routing, callbacks."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minicolumn as mc
from minicolumn.train import programs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK: dict[str, Any] = {
    "hidden_layer_sizes": (6,),
    "max_iter": 5,
    "random_state": 0,
    "learning_rate_init": 0.05,
}


def _classifier(**settings: Any) -> Any:
    return mc.MLPClassifier(**(QUICK | settings))


def _regressor(**settings: Any) -> Any:
    return mc.MLPRegressor(**(QUICK | settings))


def test_importing_minicolumn_does_not_import_scikit_learn() -> None:
    code = "import sys, minicolumn as mc; assert 'MLPClassifier' in dir(mc); print('sklearn' in sys.modules)"
    where = {**os.environ, "PYTHONPATH": str(Path(mc.__file__).parents[1])}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=where)
    assert out.stdout.strip() == "False"


def test_pipeline_grid_search_and_calibration(blobs: Any) -> None:
    X, y = blobs
    grid = {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__hidden_layer_sizes": [(4,), (6, 3)]}
    search = GridSearchCV(make_pipeline(StandardScaler(), _classifier(max_iter=20)), grid, cv=3).fit(X, y)
    assert search.best_score_ > 0.5
    assert search.predict_proba(X).shape == (90, 3)
    calibrated = CalibratedClassifierCV(_classifier(), cv=3).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0, rtol=1e-6)
    logs: Any = cross_val_predict(_classifier(), X, y, cv=3, method="predict_log_proba")
    assert logs.shape == (90, 3)


def test_a_search_compiles_once_a_network(blobs: Any) -> None:
    programs.forget()
    grid = {"alpha": [0.1, 0.2], "learning_rate_init": [0.01, 0.02], "hidden_layer_sizes": [(4,), (5,)]}
    GridSearchCV(_classifier(), grid, cv=3).fit(*blobs)
    assert programs.made() == 2


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_gives_the_same_scores(backend: str, wave: Any) -> None:
    alone = cross_val_score(_regressor(), *wave, cv=3)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        together = cross_val_score(_regressor(), *wave, cv=3)
    np.testing.assert_array_equal(alone, together)


def test_an_estimator_within_another(targets: Any) -> None:
    X, y = targets["two numbers"]
    model = MultiOutputRegressor(_regressor()).fit(X, y)
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("make", [_classifier, _regressor])
def test_copies_predict_and_learn_on_alike(make: Any, blobs: Any) -> None:
    X, y = blobs
    model = make(early_stopping=True).fit(X, y)
    stored = io.BytesIO()
    joblib.dump(model, stored)
    stored.seek(0)
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(stored)]
    for other in (model, *copies):
        other.set_params(early_stopping=False).partial_fit(X, y)
    for other in copies:
        np.testing.assert_array_equal(model.predict(X), other.predict(X))
        np.testing.assert_array_equal(model.coefs_[0], other.coefs_[0])
    assert not hasattr(clone(model), "coefs_")


def test_pickles_are_small(blobs: Any) -> None:
    X, y = blobs
    model = _classifier(hidden_layer_sizes=(100, 50)).fit(X, y)
    numbers = sum(w.nbytes for w in model.coefs_ + model.intercepts_)
    # Weights and Adam's two moments, and some kilobytes of names and history; neither code nor data.
    assert len(pickle.dumps(model)) < 3 * numbers + 10_000


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_and_their_names(library: str, blobs: Any) -> None:
    X, y = blobs
    columns = {f"c{k}": X[:, k] for k in range(4)}
    table: Any = polars.DataFrame(columns) if library == "polars" else None
    if table is None:
        table = pytest.importorskip("pandas").DataFrame(columns)
    model = _classifier(early_stopping=True, scoring="neg_log_loss").fit(table, y)
    assert list(model.feature_names_in_) == ["c0", "c1", "c2", "c3"]
    np.testing.assert_array_equal(model.predict(table), model.predict(table[["c0", "c1", "c2", "c3"]]))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[["c1", "c0", "c2", "c3"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(model.predict(X), model.predict(table))
    plain = _classifier(early_stopping=True, scoring="neg_log_loss").fit(X, y)
    np.testing.assert_array_equal(plain.coefs_[0], model.coefs_[0])


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows_are_the_same_rows(form: Any, blobs: Any) -> None:
    X, y = np.where(np.abs(blobs[0]) > 0.8, blobs[0], 0.0), blobs[1]
    for settings in ({"early_stopping": True}, {"solver": "lbfgs"}):
        thin, full = _classifier(**settings).fit(form(X), y), _classifier(**settings).fit(X, y)
        np.testing.assert_array_equal(thin.coefs_[0], full.coefs_[0])
        np.testing.assert_array_equal(thin.predict(form(X)), full.predict(X))


def test_sparse_rows_that_are_too_many_to_be_dense_at_once_are_the_same_rows() -> None:
    # Of so many columns one call takes 256 rows, so that measuring and predicting take several.
    places = np.random.default_rng(0).choice(540 * 17_000, 18_000, replace=False)
    X = sparse.csr_array((np.ones(18_000), np.divmod(places, 17_000)), shape=(540, 17_000))
    y, wishes = np.arange(540) % 3, {"early_stopping": True, "validation_fraction": 0.5, "max_iter": 2}
    thin, full = _classifier(**wishes).fit(X, y), _classifier(**wishes).fit(X.toarray(), y)
    np.testing.assert_array_equal(thin.coefs_[0], full.coefs_[0])
    assert thin.validation_scores_ == full.validation_scores_
    np.testing.assert_array_equal(thin.predict(X), full.predict(X.toarray()))


def test_labels_of_any_kind(blobs: Any) -> None:
    X, y = blobs
    names = np.array(["a", "b", "c"])
    for labels in (y, y == 1, names[y], names.astype(object)[y], y * 1.0):
        model = _classifier(max_iter=40).fit(X, labels)
        kind = labels.dtype.kind.replace("O", "U")  # as scikit-learn does
        assert model.predict(X).dtype.kind == kind
        assert set(model.predict(X)) <= set(labels)
        assert model.score(X, labels) > 0.5


def test_sample_weight_is_routed(blobs: Any) -> None:
    X, y = blobs
    weight = np.linspace(0.0, 1.0, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        model = _classifier().set_fit_request(sample_weight=True)
        pipe: Any = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipe.fit(X, y, sample_weight=weight)
    alone = _classifier().fit(StandardScaler().fit_transform(X), y, sample_weight=weight)
    np.testing.assert_array_equal(pipe[-1].coefs_[0], alone.coefs_[0])


def test_weights_set_by_hand_are_what_is_used(blobs: Any) -> None:
    X, y = blobs
    model = _classifier().fit(X, y)
    model.coefs_[-1] = np.zeros_like(model.coefs_[-1])
    model.intercepts_[-1] = np.log([0.5, 0.25, 0.25])
    np.testing.assert_allclose(model.predict_proba(X), [[0.5, 0.25, 0.25]] * 90, rtol=1e-6)


# scikit-learn's callbacks -----------------------------------------------------------------------------------

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 and later have callbacks")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_scoring_monitor_sees_every_epoch(solver: str, blobs: Any) -> None:
    X, y = blobs
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = _classifier(solver=solver).set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs()
    rows = (log[0] if isinstance(log, list) else log).data
    epochs = [row["accuracy"] for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) == model.n_iter_
    assert epochs[-1] == pytest.approx(model.score(X, y))


def test_a_callback_can_stop_and_a_progress_bar_runs(blobs: Any) -> None:
    class StopAt:
        def setup(self, estimator: Any, context: Any) -> None:
            self.seen = 0

        def teardown(self, estimator: Any, context: Any) -> None:
            self.done = True

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> bool:
            self.seen += context.task_name == "epoch"
            return self.seen == 3

    stop = StopAt()
    model = _classifier().set_callbacks(stop, callback.ProgressBar()).fit(*blobs)
    assert model.n_iter_ == 3
    assert stop.done
