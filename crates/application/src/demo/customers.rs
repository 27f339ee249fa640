//! The demo's customers with an owner. Numbers, addresses on the web and tax profiles follow from their
//! place and key.

use fairlead_domain::contact::DecisionRole::{self, DecisionMaker, Gatekeeper, Influencer, User};
use fairlead_domain::customer::{CustomerKind, Grade};
use fairlead_domain::lead::Source;

use super::act::CustomerAct::{Assign, Claim, Log, LogContact, Record};
use super::act::{Acts, CustomerAct, call, email, meeting, message, remark, task};

pub(super) const EAST: &str = "East China 华东";
pub(super) const SOUTH: &str = "South China 华南";
pub(super) const NORTH: &str = "North China 华北";
pub(super) const WEST: &str = "West China 西部";
pub(super) const OVERSEAS: &str = "Overseas 海外";

/// A customer and what happened to it.
pub(super) struct CustomerRow {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: CustomerKind,
    pub(super) grade: Grade,
    pub(super) source: Source,
    pub(super) industry: &'static str,
    pub(super) region: &'static str,
    pub(super) address: &'static str,
    pub(super) scale: &'static str,
    pub(super) tags: &'static [&'static str],
    /// Who recorded it: a seller for themselves, the administrator for the pool.
    pub(super) by: &'static str,
    pub(super) contacts: &'static [ContactRow],
    pub(super) acts: Acts<CustomerAct>,
}

/// Somebody at a customer. The first of them is the primary contact.
pub(super) struct ContactRow {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) role: DecisionRole,
}

pub(super) const fn person(name: &'static str, title: &'static str, role: DecisionRole) -> ContactRow {
    ContactRow { name, title, role }
}

pub(super) const COMPANY: CustomerRow = CustomerRow {
    key: "",
    name: "",
    kind: CustomerKind::Company,
    grade: Grade::C,
    source: Source::Website,
    industry: "",
    region: EAST,
    address: "",
    scale: "100-499",
    tags: &[],
    by: "",
    contacts: &[],
    acts: &[],
};
pub(super) const PERSON: CustomerRow =
    CustomerRow { kind: CustomerKind::Person, grade: Grade::D, scale: "", ..COMPANY };

pub(super) const CUSTOMERS: &[CustomerRow] = &[
    CustomerRow {
        key: "ningbo-stamping",
        name: "宁波钢翼冲压件有限公司 Ningbo Gangyi Stamping",
        grade: Grade::A,
        source: Source::Referral,
        industry: "Automotive parts 汽车零部件",
        address: "浙江省宁波市北仑区港前路 88 号",
        scale: "500-999",
        tags: &["key account", "press line"],
        by: "rep.east",
        contacts: &[
            person("王立新", "生产副总", DecisionMaker),
            person("陆佳", "采购经理", Gatekeeper),
            person("Peter Hu 胡鹏", "Maintenance lead 设备主管", User),
        ],
        acts: &[
            (190, Record),
            (188, Log(meeting("First visit to the press shop 首次拜访冲压车间")
                .saying("Two crank presses of 1998, downtime twice a week. 两台 1998 年曲柄压力机，每周停机两次。").then("Send line layout", 5))),
            (26, Log(call("Asked how the new line runs 回访产线运行情况"))),
            (4, Log(task("Offer the maintenance plan for next year 报下年度维保方案", 9))),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "suzhou-logistics",
        name: "苏州云仓智能物流有限公司 Suzhou Yuncang Logistics",
        grade: Grade::A,
        source: Source::Event,
        industry: "Logistics 物流",
        address: "江苏省苏州市工业园区星港街 301 号",
        scale: "1000+",
        tags: &["key account"],
        by: "rep.east",
        contacts: &[
            person("顾晓峰", "运营总监", DecisionMaker),
            person("Cathy Shen 沈凯西", "IT manager 信息化经理", Influencer),
        ],
        acts: &[(170, Record), (60, LogContact(email("Sent the acceptance checklist 发送验收清单")))],
        ..COMPANY
    },
    CustomerRow {
        key: "hefei-battery",
        name: "合肥蓝原电池材料有限公司 Hefei Lanyuan Battery Materials",
        grade: Grade::B,
        industry: "Battery 新能源电池",
        address: "安徽省合肥市新站区龙子湖路 12 号",
        tags: &["new energy"],
        by: "rep.east",
        contacts: &[person("赵启明", "工程部经理", Influencer), person("何霞", "总经理", DecisionMaker)],
        acts: &[(120, Record), (117, Log(call("Introduced ourselves 电话介绍公司"))), (31, Log(meeting("Clean room survey 洁净间勘测")
                .saying("Dust class fits; the lift carries one ton only. 洁净等级满足，货梯限重一吨。")))],
        ..COMPANY
    },
    CustomerRow {
        key: "wuxi-valve",
        name: "无锡恒通阀门有限公司 Wuxi Hengtong Valve",
        source: Source::ColdCall,
        industry: "Machinery 机械",
        address: "江苏省无锡市惠山区洛社镇中兴路 6 号",
        by: "rep.east",
        contacts: &[person("许国平", "厂长", DecisionMaker)],
        acts: &[(100, Record), (98, Log(call("Test bench is twelve years old 试压台已用十二年").then("Visit with an engineer", 14)))],
        ..COMPANY
    },
    CustomerRow {
        key: "shanghai-brewery",
        name: "Riverside Craft Brewery Shanghai 上海江畔精酿",
        grade: Grade::D,
        source: Source::SocialMedia,
        industry: "Food and beverage 食品饮料",
        address: "上海市杨浦区滨江大道 1200 号",
        scale: "20-99",
        by: "rep.east",
        contacts: &[person("Oliver Tang", "Head brewer", DecisionMaker)],
        acts: &[(90, Record), (88, Log(message("WeChat: filling line of 3 000 bottles an hour")))],
        ..COMPANY
    },
    CustomerRow {
        key: "zhang-workshop",
        name: "张建平 Zhang Jianping",
        source: Source::Referral,
        industry: "Machinery 机械",
        address: "江苏省太仓市浏河镇闸北路 3 号",
        by: "rep.east",
        acts: &[(60, Record), (59, Log(call("Wants one used robot cell 想买一套二手机器人工作站")))],
        ..PERSON
    },
    CustomerRow {
        key: "kunshan-optics",
        name: "昆山明视光电有限公司 Kunshan Mingshi Optics",
        grade: Grade::B,
        source: Source::Partner,
        industry: "Electronics 电子",
        address: "江苏省昆山市光电产业园台虹路 9 号",
        tags: &["vision"],
        by: "rep.east2",
        contacts: &[person("林书豪", "品质经理", User), person("Mandy Xie 谢曼", "Purchasing 采购", Gatekeeper)],
        acts: &[(150, Record), (13, LogContact(call("Reminded of the second installment 催第二期款").then("Call the cashier", 4)))],
        ..COMPANY
    },
    CustomerRow {
        key: "nantong-dye",
        name: "南通锦染纺织有限公司 Nantong Jinran Textiles",
        grade: Grade::B,
        source: Source::Advertisement,
        industry: "Textiles 纺织",
        address: "江苏省南通市通州区印染园区 5 号",
        by: "rep.east2",
        contacts: &[person("曹明", "设备部长", Influencer)],
        acts: &[(185, Record), (52, Log(meeting("Plant will be closed 客户告知工厂停产")))],
        ..COMPANY
    },
    CustomerRow {
        key: "hangzhou-tea",
        name: "杭州龙坞茶业有限公司 Hangzhou Longwu Tea",
        industry: "Food and beverage 食品饮料",
        address: "浙江省杭州市西湖区转塘街道茶园路 21 号",
        scale: "20-99",
        by: "rep.east2",
        contacts: &[person("方圆", "总经理", DecisionMaker)],
        acts: &[(70, Record), (15, LogContact(email("Sent the packing line offer 发送包装线报价").then("Ask for feedback", 6)))],
        ..COMPANY
    },
    CustomerRow {
        key: "changzhou-pump",
        name: "常州泰岳泵业有限公司 Changzhou Taiyue Pump",
        source: Source::Other,
        industry: "Machinery 机械",
        address: "江苏省常州市武进区遥观镇工业路 77 号",
        by: "admin",
        contacts: &[person("蒋卫东", "技术部长", Influencer)],
        acts: &[(195, Record), (45, Claim("rep.east2")), (44, Log(call("First call after claiming 认领后首次联系")))],
        ..COMPANY
    },
    CustomerRow {
        key: "baltic-pack",
        name: "Baltic Packaging GmbH",
        grade: Grade::A,
        source: Source::Event,
        industry: "Packaging 包装",
        region: OVERSEAS,
        address: "Hafenstrasse 14, Rostock, Germany",
        tags: &["export", "key account"],
        by: "rep.east3",
        contacts: &[
            person("Katrin Vogel", "Head of projects", DecisionMaker),
            person("Jonas Albrecht", "Controller", Gatekeeper),
        ],
        acts: &[(140, Record), (138, Log(meeting("Video call about the retrofit"))), (1, LogContact(email("Shipping papers for the second lot")))],
        ..COMPANY
    },
    CustomerRow {
        key: "nordlys",
        name: "Nordlys Seafood AS",
        grade: Grade::B,
        industry: "Food and beverage 食品饮料",
        region: OVERSEAS,
        address: "Kaigata 7, Bodø, Norway",
        tags: &["export"],
        by: "rep.east3",
        contacts: &[person("Ingrid Solberg", "Plant manager", DecisionMaker)],
        acts: &[(110, Record), (32, LogContact(call("Wants the freezer line before the season").then("Draft the contract", 20)))],
        ..COMPANY
    },
    CustomerRow {
        key: "jiaxing-parts",
        name: "嘉兴远航紧固件有限公司 Jiaxing Yuanhang Fasteners",
        source: Source::ColdCall,
        industry: "Machinery 机械",
        address: "浙江省嘉兴市海盐县武原街道海兴路 40 号",
        by: "rep.east3",
        contacts: &[person("褚建华", "老板", DecisionMaker)],
        acts: &[(40, Record), (13, Log(meeting("Sorting cell: first talk 分拣站初次沟通")))],
        ..COMPANY
    },
    CustomerRow {
        key: "meier",
        name: "Thomas Meier",
        source: Source::Partner,
        industry: "Consulting 咨询",
        region: OVERSEAS,
        address: "Seefeldstrasse 30, Zürich, Switzerland",
        by: "rep.east3",
        acts: &[(50, Record), (49, Log(email("Asks for a demo cell for his customers")))],
        ..PERSON
    },
    CustomerRow {
        key: "yangshan-port",
        name: "洋山港机服务有限公司 Yangshan Port Crane Services",
        grade: Grade::A,
        source: Source::Referral,
        industry: "Ports 港口",
        address: "上海市浦东新区临港新城港云路 100 号",
        scale: "500-999",
        tags: &["service"],
        by: "manager.east",
        contacts: &[person("宋海涛", "设备总监", DecisionMaker), person("吴倩", "合同主管", Gatekeeper)],
        acts: &[(130, Record), (67, Log(meeting("Agreed on a yearly service 谈妥年度维保")))],
        ..COMPANY
    },
    CustomerRow {
        key: "foshan-ceramics",
        name: "佛山御窑陶瓷有限公司 Foshan Yuyao Ceramics",
        grade: Grade::A,
        source: Source::Event,
        industry: "Ceramics 陶瓷",
        region: SOUTH,
        address: "广东省佛山市禅城区南庄镇陶博大道 18 号",
        scale: "500-999",
        by: "rep.south",
        contacts: &[person("梁志强", "总工程师", DecisionMaker), person("区美玲", "财务经理", Influencer)],
        acts: &[(188, Record), (70, LogContact(call("Palletizer runs well, thinks of a second 码垛机运行良好")))],
        ..COMPANY
    },
    CustomerRow {
        key: "dongguan-toys",
        name: "东莞乐童玩具有限公司 Dongguan Letong Toys",
        grade: Grade::B,
        source: Source::Advertisement,
        industry: "Toys 玩具",
        region: SOUTH,
        address: "广东省东莞市石排镇福隆工业区 2 号",
        scale: "1000+",
        by: "rep.south",
        contacts: &[person("陈永康", "厂务经理", User), person("Vivian Lo 罗慧", "CFO 财务总监", DecisionMaker)],
        acts: &[
            (160, Record),
            (32, LogContact(call("Bill was dishonoured, they will pay in parts 承兑被拒，改为分批付款"))),
            (5, Log(task("Collect the rest of the second installment 跟进第二期余款", 3))),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "zhuhai-home",
        name: "珠海海岚家电有限公司 Zhuhai Hailan Appliances",
        grade: Grade::A,
        source: Source::Partner,
        industry: "Home appliances 家电",
        region: SOUTH,
        address: "广东省珠海市斗门区富山工业园 15 号",
        scale: "1000+",
        tags: &["key account"],
        by: "rep.south",
        contacts: &[person("冯敏仪", "智能制造经理", DecisionMaker)],
        acts: &[(125, Record), (41, LogContact(meeting("Test run with their parts 带料试机")))],
        ..COMPANY
    },
    CustomerRow {
        key: "guangzhou-pharma",
        name: "广州岭南制药设备有限公司 Guangzhou Lingnan Pharma Equipment",
        grade: Grade::B,
        industry: "Pharma 制药",
        region: SOUTH,
        address: "广东省广州市黄埔区科学大道 66 号",
        by: "rep.south",
        contacts: &[person("邵文", "研发主管", Influencer), person("郑洁", "采购", Gatekeeper)],
        acts: &[(80, Record), (14, LogContact(meeting("Price talk 商务谈判").then("Second round", 10)))],
        ..COMPANY
    },
    CustomerRow {
        key: "pearl-foods",
        name: "Pearl River Foods 珠江食品有限公司",
        industry: "Food and beverage 食品饮料",
        region: SOUTH,
        address: "广东省中山市火炬开发区食品路 8 号",
        by: "rep.south",
        contacts: &[person("Alan Kwok 郭伟伦", "Factory manager", DecisionMaker)],
        acts: &[(95, Record), (42, LogContact(call("They bought elsewhere 已选择其他供应商")))],
        ..COMPANY
    },
    CustomerRow {
        key: "shenzhen-pcb",
        name: "深圳迅科电路有限公司 Shenzhen Xunke Circuits",
        grade: Grade::A,
        source: Source::Referral,
        industry: "Electronics 电子",
        region: SOUTH,
        address: "广东省深圳市宝安区福永街道凤塘大道 55 号",
        scale: "500-999",
        tags: &["key account", "mes"],
        by: "rep.south2",
        contacts: &[
            person("吴俊杰", "信息总监", DecisionMaker),
            person("钟小燕", "应付会计", Gatekeeper),
            person("Kevin Ruan 阮凯", "Line engineer 产线工程师", User),
        ],
        acts: &[(155, Record), (27, LogContact(call("New tax number for the invoice 更正开票税号")))],
        ..COMPANY
    },
    CustomerRow {
        key: "xiamen-yacht",
        name: "Xiamen Bluewave Yachts 厦门蓝浪游艇有限公司",
        grade: Grade::B,
        source: Source::Event,
        industry: "Shipbuilding 船舶",
        region: SOUTH,
        address: "福建省厦门市海沧区港中路 1 号",
        by: "rep.south2",
        contacts: &[person("Helen Chuang 庄海伦", "COO", DecisionMaker)],
        acts: &[(115, Record), (10, LogContact(call("Told them that finance wants a guarantee 沟通付款担保").then("Get a bank guarantee", 12)))],
        ..COMPANY
    },
    CustomerRow {
        key: "nanning-sugar",
        name: "南宁甘源糖业有限公司 Nanning Ganyuan Sugar",
        source: Source::ColdCall,
        industry: "Food and beverage 食品饮料",
        region: SOUTH,
        address: "广西南宁市武鸣区糖业大道 19 号",
        by: "rep.south2",
        contacts: &[person("韦东", "副厂长", Influencer)],
        acts: &[(135, Record), (23, LogContact(call("Line comes next season 产线推迟到下个榨季")))],
        ..COMPANY
    },
    CustomerRow {
        key: "huizhou-led",
        name: "惠州辰光照明有限公司 Huizhou Chenguang Lighting",
        source: Source::Other,
        industry: "Electronics 电子",
        region: SOUTH,
        address: "广东省惠州市仲恺高新区和畅五路 3 号",
        by: "admin",
        contacts: &[person("潘丽", "制造部经理", User)],
        acts: &[
            (195, Record),
            (30, Assign("manager.south", "rep.south2")),
            (28, LogContact(call("Three manual lines to automate 三条手工线待改造"))),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "lau",
        name: "Lau Chi Ming 刘志明",
        source: Source::SocialMedia,
        industry: "Trading 贸易",
        region: SOUTH,
        address: "香港九龙观塘巧明街 111 号",
        by: "rep.south2",
        acts: &[(35, Record), (34, Log(remark("Buys for three workshops in Dongguan 为东莞三家工坊采购")))],
        ..PERSON
    },
];
