//! A filter's rows by query builders and drivers, on PostgreSQL and MariaDB.

use grantree::filter::Filter;
use grantree::sql::{Database, Ids, Mapping, SqlValue};
use grantree::{Document, Engine, Policy};

const POLICY: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"job": {
      "relations": {"assignee": "user", "team": "group"}, "attributes": {"cost": "at_most"}}},
    "permissions": [{"key": "edit", "object": "job", "checks": ["cost"], "scopes": [
      {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}]}]},
  "groups": {"leeds": {"parent": "uk"}},
  "users": {"7": {"allow": ["edit"], "groups": ["uk"], "bounds": {"job.cost": 5000}}}}"#;

const TABLES: [&str; 5] = [
    "DROP TABLE IF EXISTS adapted_jobs",
    "DROP TABLE IF EXISTS adapted_teams",
    "CREATE TABLE adapted_jobs (id bigint PRIMARY KEY, title varchar(9), assignee_id bigint, cost bigint)",
    "CREATE TABLE adapted_teams (job_id bigint, team varchar(9))",
    "INSERT INTO adapted_jobs VALUES (1, 'a', 7, 1), (2, 'b', 8, 1), (3, 'c', NULL, 1), (4, 'd', 7, 9000)",
];
const TEAMS: &str = "INSERT INTO adapted_teams VALUES (2, 'york'), (3, 'leeds'), (4, 'uk')";
const ALLOWED: [i64; 2] = [1, 3];

fn filter() -> Filter {
    let document: Document = serde_json::from_str(POLICY).expect("a document");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let user = engine.user("7").expect("a user");
    engine.filter(user, engine.permission("edit").expect("a permission"), ())
}

fn mapping(database: Database) -> Mapping {
    Mapping::new(database, "job", "adapted_jobs")
        .key(["id"])
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("team", Ids::join_table("adapted_teams", [("job_id", "id")], "team"))
        .attribute("cost", "cost")
}

fn url(name: &str) -> Option<String> {
    let url = std::env::var(name).ok();
    if url.is_none() {
        println!("left out: {name} is not set");
    }
    url
}

mod with_sqlx {
    use sqlx::{AssertSqlSafe, Connection};

    use super::*;

    #[tokio::test]
    async fn postgres() -> Result<(), sqlx::Error> {
        let Some(url) = url("GRANTREE_POSTGRES") else { return Ok(()) };
        let mut connection = sqlx::PgConnection::connect(&url).await?;
        sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS with_sqlx; SET search_path TO with_sqlx")
            .execute(&mut connection)
            .await?;
        for sql in TABLES.into_iter().chain([TEAMS]) {
            sqlx::raw_sql(sql).execute(&mut connection).await?;
        }
        // The host's own values come first.
        let (condition, values) =
            filter().where_clause(&mapping(Database::Postgres), 2).expect("it is mapped");
        let text =
            format!("SELECT id FROM adapted_jobs WHERE title <> $1 AND {condition} ORDER BY id");
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind("x");
        for value in values {
            query = match value {
                SqlValue::Text(text) => query.bind(text),
                SqlValue::Integer(integer) => query.bind(integer),
                SqlValue::Bytes(bytes) => query.bind(bytes),
                SqlValue::Texts(texts) => query.bind(texts),
                SqlValue::Integers(integers) => query.bind(integers),
            };
        }
        let ids: Vec<i64> = query.fetch_all(&mut connection).await?;
        assert_eq!(ids, ALLOWED);
        Ok(())
    }

    #[tokio::test]
    async fn mysql() -> Result<(), sqlx::Error> {
        let Some(url) = url("GRANTREE_MARIADB") else { return Ok(()) };
        let mut connection = sqlx::MySqlConnection::connect(&url).await?;
        for sql in ["CREATE DATABASE IF NOT EXISTS with_sqlx", "USE with_sqlx"] {
            sqlx::raw_sql(sql).execute(&mut connection).await?;
        }
        for sql in TABLES.into_iter().chain([TEAMS]) {
            sqlx::raw_sql(sql).execute(&mut connection).await?;
        }
        let (condition, values) =
            filter().where_clause(&mapping(Database::Mysql), 1).expect("it is mapped");
        let text =
            format!("SELECT id FROM adapted_jobs WHERE title <> ? AND {condition} ORDER BY id");
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind("x");
        for value in values {
            query = match value {
                SqlValue::Text(text) => query.bind(text),
                SqlValue::Integer(integer) => query.bind(integer),
                SqlValue::Bytes(bytes) => query.bind(bytes),
                SqlValue::Texts(_) | SqlValue::Integers(_) => unreachable!("only PostgreSQL's"),
            };
        }
        let ids: Vec<i64> = query.fetch_all(&mut connection).await?;
        assert_eq!(ids, ALLOWED);
        Ok(())
    }
}

mod with_sea_orm {
    use grantree::sql::sea_query::ExprTrait;
    use sea_orm::entity::prelude::*;
    use sea_orm::{ConnectionTrait, Database as Connections, QueryOrder};

    use super::*;

    mod adapted_jobs {
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "adapted_jobs")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            pub title: String,
            pub assignee_id: Option<i64>,
            pub cost: i64,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    use adapted_jobs::{Column, Entity};

    async fn lists(url: &str, database: Database) -> Result<(), DbErr> {
        let connection = Connections::connect(url).await?;
        for sql in TABLES.into_iter().chain([TEAMS]) {
            connection.execute_unprepared(sql).await?;
        }
        let condition = filter().condition(&mapping(database)).expect("it is mapped");
        let jobs = Entity::find().filter(condition.clone()).order_by_asc(Column::Id);
        let ids: Vec<i64> = jobs.all(&connection).await?.iter().map(|job| job.id).collect();
        assert_eq!(ids, ALLOWED);
        // A page, a count, and joined with other conditions.
        let jobs = Entity::find().filter(condition.clone()).order_by_asc(Column::Id);
        let pages = jobs.paginate(&connection, 1);
        assert_eq!(pages.num_items().await?, 2);
        assert_eq!(pages.fetch_page(1).await?[0].id, 3);
        let jobs = Entity::find().filter(Column::Title.eq("c")).filter(condition.clone());
        assert_eq!(jobs.count(&connection).await?, 1);
        let others = Entity::find().filter(condition.not());
        assert_eq!(others.count(&connection).await?, 2);
        Ok(())
    }

    #[tokio::test]
    async fn postgres() -> Result<(), DbErr> {
        let Some(url) = url("GRANTREE_POSTGRES") else { return Ok(()) };
        lists(&url, Database::Postgres).await
    }

    #[tokio::test]
    async fn mysql() -> Result<(), DbErr> {
        let Some(url) = url("GRANTREE_MARIADB") else { return Ok(()) };
        lists(&url, Database::Mysql).await
    }
}

mod with_diesel {
    use diesel::connection::SimpleConnection;
    use diesel::pg::{Pg, PgConnection};
    use diesel::prelude::*;
    use diesel::sql_types::{Array, BigInt, Binary, Text};

    use super::*;

    #[derive(QueryableByName)]
    struct Job {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }

    #[test]
    fn postgres() {
        let Some(url) = url("GRANTREE_POSTGRES") else { return };
        let mut connection = PgConnection::establish(&url).expect("a server");
        let schema = "CREATE SCHEMA IF NOT EXISTS with_diesel; SET search_path TO with_diesel";
        connection.batch_execute(schema).expect("a schema");
        for sql in TABLES.into_iter().chain([TEAMS]) {
            connection.batch_execute(sql).expect("tables");
        }
        let (condition, values) =
            filter().where_clause(&mapping(Database::Postgres), 1).expect("it is mapped");
        let text = format!("SELECT id FROM adapted_jobs WHERE {condition} ORDER BY id");
        let mut query = diesel::sql_query(text).into_boxed::<Pg>();
        for value in values {
            query = match value {
                SqlValue::Text(text) => query.bind::<Text, _>(text),
                SqlValue::Integer(integer) => query.bind::<BigInt, _>(integer),
                SqlValue::Bytes(bytes) => query.bind::<Binary, _>(bytes),
                SqlValue::Texts(texts) => query.bind::<Array<Text>, _>(texts),
                SqlValue::Integers(integers) => query.bind::<Array<BigInt>, _>(integers),
            };
        }
        let jobs: Vec<Job> = query.load(&mut connection).expect("rows");
        assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ALLOWED);
    }
}
