export { TimeSeriesForecastModel } from './model.js';
