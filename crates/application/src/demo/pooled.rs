//! The demo's customers in the public pool (公海): some never had an owner, some were given back.

use fairlead_domain::contact::DecisionRole::{DecisionMaker, Gatekeeper, Influencer, User};
use fairlead_domain::customer::Grade;
use fairlead_domain::lead::Source;

use super::act::CustomerAct::{Claim, Log, LogContact, Record, Release};
use super::act::{call, email, meeting};
use super::customers::{COMPANY, CustomerRow, EAST, NORTH, OVERSEAS, PERSON, SOUTH, WEST, person};

pub(super) const POOLED: &[CustomerRow] = &[
    CustomerRow {
        key: "jinan-tractor",
        name: "济南沃野农机有限公司 Jinan Woye Agricultural Machinery",
        grade: Grade::B,
        source: Source::Other,
        industry: "Machinery 机械",
        region: NORTH,
        address: "山东省济南市章丘区明水经济开发区 30 号",
        scale: "500-999",
        by: "admin",
        contacts: &[person("马骏", "采购部长", Gatekeeper)],
        acts: &[(195, Record)],
        ..COMPANY
    },
    CustomerRow {
        key: "taiyuan-mining",
        name: "太原晋源矿山设备有限公司 Taiyuan Jinyuan Mining Equipment",
        source: Source::Other,
        industry: "Mining 矿山",
        region: NORTH,
        address: "山西省太原市小店区龙城大街 201 号",
        by: "admin",
        contacts: &[person("郝志刚", "机电科长", User)],
        acts: &[(195, Record)],
        ..COMPANY
    },
    CustomerRow {
        key: "dalian-shipyard",
        name: "Dalian Northstar Shipyard 大连北星船厂",
        grade: Grade::A,
        source: Source::Event,
        industry: "Shipbuilding 船舶",
        region: NORTH,
        address: "辽宁省大连市甘井子区渤海路 5 号",
        scale: "1000+",
        by: "admin",
        contacts: &[person("关志远", "涂装车间主任", Influencer)],
        acts: &[(150, Record)],
        ..COMPANY
    },
    CustomerRow {
        key: "chengdu-aero",
        name: "成都蜀翼航空零件有限公司 Chengdu Shuyi Aero Parts",
        grade: Grade::B,
        source: Source::Partner,
        industry: "Aerospace 航空",
        region: WEST,
        address: "四川省成都市新都区石板滩工业园 9 号",
        by: "admin",
        contacts: &[person("邹婷", "项目经理", Influencer)],
        acts: &[(150, Record)],
        ..COMPANY
    },
    CustomerRow {
        key: "kunming-coffee",
        name: "Kunming Highland Coffee 昆明高原咖啡有限公司",
        grade: Grade::D,
        industry: "Food and beverage 食品饮料",
        region: WEST,
        address: "云南省昆明市官渡区经开路 17 号",
        scale: "20-99",
        by: "admin",
        contacts: &[person("Lisa Duan 段丽莎", "Owner", DecisionMaker)],
        acts: &[(75, Record)],
        ..COMPANY
    },
    CustomerRow {
        key: "xuzhou-glass",
        name: "徐州汉晶玻璃有限公司 Xuzhou Hanjing Glass",
        source: Source::ColdCall,
        industry: "Glass 玻璃",
        address: "江苏省徐州市新沂市锡沂高新区 11 号",
        by: "rep.east",
        contacts: &[person("董长林", "生产经理", User)],
        acts: &[
            (148, Record),
            (146, Log(call("Cold end handling is manual 冷端搬运全靠人工"))),
            (62, Release("No budget this year 今年无预算")),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "shaoxing-silk",
        name: "绍兴越锦丝绸有限公司 Shaoxing Yuejin Silk",
        industry: "Textiles 纺织",
        address: "浙江省绍兴市柯桥区滨海工业区 28 号",
        by: "rep.east2",
        contacts: &[person("金晓燕", "总经理助理", Gatekeeper)],
        acts: &[
            (133, Record),
            (130, LogContact(email("Sent our references 发送案例"))),
            (48, Release("Could not be reached for two months 两个月联系不上")),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "lisbon-cork",
        name: "Lisbon Cork Works Lda",
        grade: Grade::B,
        source: Source::Event,
        industry: "Packaging 包装",
        region: OVERSEAS,
        address: "Rua do Cais 52, Setúbal, Portugal",
        by: "rep.east3",
        contacts: &[person("Rui Tavares", "Technical director", DecisionMaker)],
        acts: &[
            (105, Record),
            (103, LogContact(meeting("Met at the fair in Hannover"))),
            (39, Release("Works with an integrator in Porto now")),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "chen-guanghui",
        name: "陈光辉 Chen Guanghui",
        source: Source::Referral,
        industry: "Machinery 机械",
        region: EAST,
        address: "浙江省台州市温岭市泽国镇 4 号",
        by: "rep.east3",
        acts: &[(85, Record), (29, Release("Retired and sold the workshop 已退休转让"))],
        ..PERSON
    },
    CustomerRow {
        key: "haikou-resort",
        name: "海口椰风度假酒店 Haikou Yefeng Resort",
        grade: Grade::D,
        source: Source::SocialMedia,
        industry: "Hotels 酒店",
        region: SOUTH,
        address: "海南省海口市秀英区滨海大道 99 号",
        by: "rep.south",
        contacts: &[person("符慧", "工程部经理", User)],
        acts: &[(92, Record), (56, Release("Not our business: wants lifts 需求不符（电梯）"))],
        ..COMPANY
    },
    CustomerRow {
        key: "zhongshan-lighting",
        name: "中山古镇星河灯饰有限公司 Zhongshan Xinghe Lighting",
        source: Source::Advertisement,
        industry: "Electronics 电子",
        region: SOUTH,
        address: "广东省中山市古镇镇中兴大道 3 号",
        by: "rep.south2",
        contacts: &[person("袁丽君", "老板", DecisionMaker)],
        acts: &[
            (111, Record),
            (108, LogContact(call("Too small for a line of their own 产量不足以上线"))),
            (33, Release("Volume too small 产量太小")),
        ],
        ..COMPANY
    },
    CustomerRow {
        key: "hk-press",
        name: "Harbourview Press (Hong Kong) Ltd 海景印刷",
        source: Source::Partner,
        industry: "Printing 印刷",
        region: SOUTH,
        address: "香港柴湾利众街 24 号",
        by: "manager.south",
        contacts: &[person("Teresa Yip", "Operations manager", Influencer)],
        acts: &[(118, Record), (18, Release("Left for the team to pick up 留给团队跟进"))],
        ..COMPANY
    },
    CustomerRow {
        key: "wuhu-rail",
        name: "芜湖江城轨道装备有限公司 Wuhu Jiangcheng Rail Equipment",
        grade: Grade::B,
        source: Source::Other,
        industry: "Rail 轨道交通",
        address: "安徽省芜湖市鸠江区万春东路 46 号",
        scale: "500-999",
        by: "admin",
        contacts: &[person("余振华", "总工", DecisionMaker)],
        acts: &[
            (195, Record),
            (97, Claim("rep.east2")),
            (95, LogContact(call("Tender comes in the autumn 秋季招标"))),
            (9, Release("Tender was called off 招标取消")),
        ],
        ..COMPANY
    },
];
