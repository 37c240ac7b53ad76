from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "reefpoint.records.products"
    label = "products"
