"""Names that other libraries have for what is named otherwise here: hints for those who come from there."""

from __future__ import annotations

_OPTIMIZER_HAS_IT = "; the optimizer has it: optimizer='adam:learning_rate=0.01'"
# Keywords of Keras, PyTorch, scikit-learn, skorch and XGBoost.
KEYWORDS = {
    **dict.fromkeys(("lr", "learning_rate", "learning_rate_init", "eta"), _OPTIMIZER_HAS_IT),
    **dict.fromkeys(("max_iter", "max_epochs", "n_epochs", "nb_epoch", "num_epochs"), "; here it is epochs"),
    **dict.fromkeys(("validation_split", "valid_fraction", "test_size"), "; here it is validation_fraction"),
    **dict.fromkeys(("eval_set", "valid_data", "X_val"), "; here it is validation_data=(X, y)"),
    **dict.fromkeys(("callback", "cbs"), "; here it is callbacks=[...]"),
    **dict.fromkeys(("random_state", "random_seed", "rng"), "; here it is seed"),
    **dict.fromkeys(("criterion", "loss_fn", "objective"), "; here it is loss"),
    **dict.fromkeys(("verbose", "progbar"), "; here it is progress"),
    **dict.fromkeys(("metric", "eval_metric"), "; here it is metrics"),
    **dict.fromkeys(("alpha", "l2", "weight_penalty"), "; here it is regularizer='l2:rate=1e-4'"),
    "class_weight": "; here it is sample_weight, a number for each row, or mc.MLPClassifier's class_weight",
    "patience": "; a callback has it: callbacks='early_stopping:patience=10'",
    "early_stopping": "; it is a callback: callbacks='early_stopping:patience=10'",
    "dropout": "; it is a layer: mc.nn.Dropout(0.5)",
    "scheduler": "; here it is schedule",
}
# Hooks of Keras, PyTorch Lightning and skorch, by the one here that is called then; "" where none is.
HOOKS = {
    **dict.fromkeys(("on_epoch_end", "on_train_epoch_end", "on_validation_end"), "on_epoch"),
    **dict.fromkeys(("on_train_begin", "on_train_start", "on_fit_start"), "on_start"),
    **dict.fromkeys(("on_train_end", "on_fit_end"), "on_end"),
    **dict.fromkeys(("on_batch_end", "on_train_batch_end", "on_grad_computed"), "on_chunk"),
    **dict.fromkeys(("on_epoch_begin", "on_train_epoch_start", "on_batch_begin", "on_train_batch_begin"), ""),
}
