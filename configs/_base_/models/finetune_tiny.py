# MAML's network, trained plainly: its start is further away, so that more and
# smaller steps reach further.
_base_ = './maml_tiny.py'

model = dict(train_steps=0, test_steps=20, inner_rate=1.0)
