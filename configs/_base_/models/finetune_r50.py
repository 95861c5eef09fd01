# MAML's network, trained plainly; steps as in finetune_tiny.py, scaled.
_base_ = './maml_r50.py'

model = dict(train_steps=0, test_steps=20, inner_rate=0.25)
