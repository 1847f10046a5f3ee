"""What pairs of model services share: the tables of models, and the rules by which a request is made to fit one."""
