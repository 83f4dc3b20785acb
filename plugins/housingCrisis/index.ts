export { HousingCrisisModel } from './model.js';
