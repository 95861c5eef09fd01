_base_ = './maml_tiny.py'

model = dict(train_steps=0, test_steps=20)
