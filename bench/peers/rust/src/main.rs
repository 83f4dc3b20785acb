//! axum with the ort crate over a library of ONNX Runtime that is given: `ORT_DYLIB_PATH=<library> axum-ort
//! <model.onnx>`. Sessions are run on tokio's blocking threads, as tokio has it for what computes. A run
//! needs its session for itself, so there is one session per core, on one thread each.

use std::sync::Arc;
use std::thread::available_parallelism;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use ort::session::Session;
use ort::value::Tensor;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, Mutex};
use tokio::task::spawn_blocking;

#[derive(Deserialize)]
struct Request {
    data: Vec<Vec<f32>>,
}

#[derive(Serialize)]
struct Answer {
    predictions: Vec<Vec<f32>>,
}

/// Sessions that nobody uses: take one, and put it back.
struct Pool {
    give_back: mpsc::UnboundedSender<Session>,
    idle: Mutex<mpsc::UnboundedReceiver<Session>>,
}

type Failure = (StatusCode, String);

fn failure(error: impl std::fmt::Display) -> Failure {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn run(session: &mut Session, rows: Vec<Vec<f32>>) -> ort::Result<Answer> {
    let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
    let input = Tensor::from_array((shape, rows.concat()))?;
    let outputs = session.run(ort::inputs!["input" => input])?;
    let (_, values) = outputs["output"].try_extract_tensor::<f32>()?;
    let width = (values.len() / shape[0].max(1)).max(1);
    Ok(Answer {
        predictions: values.chunks(width).map(<[f32]>::to_vec).collect(),
    })
}

async fn predict(
    State(pool): State<Arc<Pool>>,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Failure> {
    let mut session = pool
        .idle
        .lock()
        .await
        .recv()
        .await
        .ok_or_else(|| failure("No session."))?;
    let give_back = pool.give_back.clone();
    // In the closure, which runs to its end even where the client goes and this future with it.
    let answer = spawn_blocking(move || {
        let answer = run(&mut session, request.data);
        let _ = give_back.send(session);
        answer
    });
    answer.await.map_err(failure)?.map(Json).map_err(failure)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = std::env::args()
        .nth(1)
        .ok_or("Usage: axum-ort <model.onnx>")?;
    let environment = ort::init().build()?;
    let (give_back, idle) = mpsc::unbounded_channel();
    for _ in 0..available_parallelism()?.get() {
        let session = Session::builder(&environment)?
            .with_intra_threads(1)?
            .commit_from_file(&model)?;
        give_back.send(session)?;
    }
    let pool = Arc::new(Pool {
        give_back,
        idle: Mutex::new(idle),
    });
    let app = Router::new()
        .route("/predict", post(predict))
        .layer(DefaultBodyLimit::max(16 << 20))
        .with_state(pool);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
