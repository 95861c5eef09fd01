_base_ = './capeformer_tiny_puppets_1shot.py'

model = dict(head=dict(identifier=dict(type='LearnedKeypointIdentifier')))
