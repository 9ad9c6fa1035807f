"""The same benchmarks on many machines: ``tailgate fleet``, on Ray.

Ray is imported in ``ray_cluster.py`` alone, which only this command imports. What runs on a node is plain Python
(``node.py``); what is kept at home (``home.py``) is what a session on one machine keeps: a journal and saved runs.
"""
