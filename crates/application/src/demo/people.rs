//! Who works at the demo's company.

use fairlead_domain::organisation::Locale;

/// The domain of every address.
pub(super) const DOMAIN: &str = "demo.fairlead.example";
/// The password of every account. It is public: a demo is for looking at.
pub(super) const PASSWORD: &str = "demo-password";

/// A team and the team above it.
pub(super) struct TeamRow {
    pub(super) name: &'static str,
    pub(super) parent: Option<&'static str>,
}

const COMPANY: &str = "Harbour Industrial Automation 港湾工业自动化";
const SALES: &str = "Sales 销售部";
pub(super) const EAST: &str = "East China 华东";
const SOUTH: &str = "South China 华南";
const FINANCE: &str = "Finance 财务部";
const MARKETING: &str = "Marketing 市场部";
pub(super) const PARTNERS: &str = "Partners 渠道部";

/// The tree of teams, from the top.
pub(super) const TEAMS: &[TeamRow] = &[
    TeamRow { name: COMPANY, parent: None },
    TeamRow { name: SALES, parent: Some(COMPANY) },
    TeamRow { name: EAST, parent: Some(SALES) },
    TeamRow { name: SOUTH, parent: Some(SALES) },
    TeamRow { name: FINANCE, parent: Some(COMPANY) },
    TeamRow { name: MARKETING, parent: Some(COMPANY) },
    TeamRow { name: PARTNERS, parent: Some(SALES) },
];

/// Somebody who works here.
pub(super) struct Person {
    /// What stands before the `@`, and how the story names them.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    pub(super) team: Option<&'static str>,
    pub(super) locale: Locale,
    /// Who approves what they ask for.
    pub(super) manager: &'static str,
}

const fn person(
    key: &'static str,
    name: &'static str,
    role: &'static str,
    team: Option<&'static str>,
    manager: &'static str,
) -> Person {
    Person { key, name, role, team, locale: Locale::ZhCn, manager }
}

/// Everybody. The first is the administrator, and the first of each role shows what that role sees.
pub(super) const PEOPLE: &[Person] = &[
    Person { locale: Locale::En, ..person("admin", "Grace Lin 林雅", "admin", None, "admin") },
    person("director", "Zhou Jianguo 周建国", "sales_director", Some(SALES), "director"),
    person("manager.east", "Chen Min 陈敏", "sales_manager", Some(EAST), "director"),
    person("rep.east", "Li Wei 李伟", "sales_rep", Some(EAST), "manager.east"),
    person("finance", "Zhao Lei 赵蕾", "finance", Some(FINANCE), "director"),
    person("marketing", "Iris Qian 钱艺", "marketing", Some(MARKETING), "director"),
    Person { locale: Locale::En, ..person("auditor", "Martin Gu 顾铭", "auditor", None, "admin") },
    person("manager.south", "Ho Ka Wai 何家伟", "sales_manager", Some(SOUTH), "director"),
    person("rep.east2", "Sun Yue 孙悦", "sales_rep", Some(EAST), "manager.east"),
    Person {
        locale: Locale::En,
        ..person("rep.east3", "Xu Tao 徐涛", "sales_rep", Some(EAST), "manager.east")
    },
    person("rep.south", "Wong Siu Ling 黄小玲", "sales_rep", Some(SOUTH), "manager.south"),
    person("rep.south2", "Deng Hao 邓浩", "sales_rep", Some(SOUTH), "manager.south"),
    person("finance2", "Daniel Fang 方大年", "finance", Some(FINANCE), "director"),
];
