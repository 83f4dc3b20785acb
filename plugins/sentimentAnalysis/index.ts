export { SentimentAnalysisModel } from './model.js';
