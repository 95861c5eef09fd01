# MAML's network, trained plainly.
_base_ = './maml_r50.py'

model = dict(train_steps=0, test_steps=20)
