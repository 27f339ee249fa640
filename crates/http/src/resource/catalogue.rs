//! Products (产品) and price lists (价目表).

use fairlead_application::catalogue;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Products", "What is sold (产品).")
        .list(
            "/products",
            "list_products",
            "List products",
            "Every user may see them.",
            &catalogue::PRODUCTS,
            catalogue::products,
        )
        .create(
            "/products",
            "create_product",
            "Record a product",
            "Whatever the spelling, each product has a code of its own.",
            catalogue::create_product,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::Duplicate])
        .get(
            "/products/{id}",
            "get_product",
            "Get a product",
            "Every user may see it.",
            catalogue::product,
        )
        .patch(
            "/products/{id}",
            "update_product",
            "Change a product",
            "Lines that name it stay as they were agreed. A product is not deleted: one with `is_active` false comes on \
             no new line.",
            catalogue::update_product,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::Duplicate]);
    api.tag("Price lists", "For how much products are sold, when and to whom (价目表).")
        .list(
            "/price-lists",
            "list_price_lists",
            "List price lists",
            "Every user may see them.",
            &catalogue::PRICE_LISTS,
            catalogue::price_lists,
        )
        .create(
            "/price-lists",
            "create_price_list",
            "Record a price list",
            "In one currency, from a day on or between two, for customers of some grades or all. Of the lists that hold \
             on a day the lowest price counts: a promotion is a list of its own.",
            catalogue::create_price_list,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .get(
            "/price-lists/{id}",
            "get_price_list",
            "Get a price list",
            "Every user may see it.",
            catalogue::price_list,
        )
        .patch(
            "/price-lists/{id}",
            "update_price_list",
            "Change a price list",
            "`prices` replaces all of them. What was agreed stays as it was.",
            catalogue::update_price_list,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .delete(
            "/price-lists/{id}",
            "delete_price_list",
            "Delete a price list",
            "At once. What was agreed stays as it was.",
            catalogue::delete_price_list,
        )
        .needs(Permission::SettingsManage)
        .compute(
            "/price-quotes",
            "quote_prices",
            "Price a choice of products",
            "Every user may; a customer whom they name must be one that they see. By the price lists of the day, for a \
             customer's grade, with discounts and taxes. Each line comes as opportunities and contracts take it, and \
             `gross` is their amount, computed and rounded as a contract would have it (`LineItem` says how). Nothing is \
             written.",
            catalogue::quote,
        )
        .refuses(&[Code::UnknownReference, Code::AmountOutOfRange]);
}
