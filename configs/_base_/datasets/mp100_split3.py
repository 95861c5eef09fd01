_base_ = './mp100_split1.py'

train_dataloader = dict(dataset=dict(split=3))
val_dataloader = dict(dataset=dict(split=3))
test_dataloader = dict(dataset=dict(split=3))
