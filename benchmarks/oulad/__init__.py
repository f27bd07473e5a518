"""Measures alerts and attention on public data: the Open University Learning Analytics Dataset.

Kuzilek, Hlosta, Zdrahal: Open University Learning Analytics dataset, Scientific Data 4, 170171 (2017), CC BY 4.0.
"""
