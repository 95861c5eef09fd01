_base_ = './mp100_split1.py'

train_dataloader = dict(dataset=dict(split=5))
val_dataloader = dict(dataset=dict(split=5))
test_dataloader = dict(dataset=dict(split=5))
